/* Many small problems: one thread each, since sharing out the rows of a small problem takes longer
 * than its sweeps. */
#include "base/parallel.h"
#include <burl/transport.h>

typedef struct batch {
  burl_sinkhorn *const *solvers;
  const burl_sinkhorn_job *jobs;
  burl_sinkhorn_options options;
} batch;

static burl_status solve_job(void *context, size_t index, int worker) {
  const batch *all = context;
  const burl_sinkhorn_job *job = &all->jobs[index];
  burl_sinkhorn *solver = all->solvers[worker];
  if (!job->C == !job->C_float) return BURL_ERR_ARGUMENT;
  return job->C ? burl_sinkhorn_solve_log(solver, job->f, job->g, job->C, job->ldc, job->n, job->m,
                                          job->a, job->b, job->warm, &all->options, job->info)
                : burl_sinkhorn_solve_scaling(solver, job->f, job->g, job->C_float, job->ldc,
                                              job->n, job->m, job->a, job->b, job->warm,
                                              &all->options, job->info);
}

burl_status burl_sinkhorn_solve_batch(burl_sinkhorn *const *solvers, int threads,
                                      const burl_sinkhorn_job *jobs, size_t count,
                                      const burl_sinkhorn_options *options) {
  if (!options) return BURL_ERR_ARGUMENT;
  batch all = {.solvers = solvers, .jobs = jobs, .options = *options};
  all.options.threads = 1;
  return burl_parallel(count, threads, solve_job, &all);
}
