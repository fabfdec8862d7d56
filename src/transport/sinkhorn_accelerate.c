/* Quasi-Newton steps in the place of column steps.
 *
 * With phi always the row step to gamma, the dual is a concave function of gamma alone,
 *     F(gamma) = <gamma, b> - sum_i a_i LSE_j(gamma_j - C_ij/eps) + const,
 *     grad F   = b - c,     c = P^T 1 after the row step,
 * so that one reading of the cost, the row step, gives the gradient. The plain column step is
 * gamma + log(b / c), near the solution a gradient step scaled by diag(1/b), which overestimates
 * no curvature: it always goes up, but slowly where eps is small. L-BFGS (Nocedal, Updating
 * Quasi-Newton Matrices with Limited Storage, 1980) with that scaling as its first guess learns the
 * rest of the curvature from the last few steps, at the price of some vectors of length m.
 *
 * Why not over-relaxation or Anderson mixing: on clustered costs the one needs its factor guessed
 * and takes up to nine times as many sweeps; the other, which knows nothing of the dual, up to
 * three times as many, and more of its steps have to be taken back.
 *
 * Safeguard. A step s from gradient g to g' is kept if <g', s> >= -<g, s>, by which the trapezoidal
 * rule says that F has not fallen (F is concave: <g', s> >= 0 proves it), and if the error of the
 * marginal has not risen much. Otherwise it is shortened to where the slope between the two ends
 * would be 0. After a few such, the memory is dropped and plain steps follow, twice as many each
 * time, so that hopeless problems are left to the plain iteration, which always converges. Far from
 * the solution steps are plain as well, and columns of next to no mass always take plain ones: they
 * would set the length of all others' steps.
 */
#include "num/vectors.h"
#include "transport/sinkhorn_parts.h"

#include <math.h>
#include <string.h>

#define FIRST_REACH 3.0  /* change of gamma in one step, until longer steps have proved good */
#define STRAIGHT 0.75    /* of the slope left at the end of a step: it could have been longer */
#define MOST_RISE 16.0   /* of the squared error in one step */
#define MOST_SHORTENED 3 /* times in a row */
#define FAR 1.0       /* squared error, above which plain steps, which are by factors, do better */
#define LIGHT 1e-6    /* of the mean mass: columns that no other column feels */
#define FIRST_PLAIN 2 /* steps before the first quasi-Newton step, and after the first failure */
#define LEAST_SHARE 1e-12 /* of curvature: <move, change> against <change, change> / b */

void burl_sinkhorn_accelerate_start(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_memory *memory = &self->memory;
  memory->pairs = memory->next = 0;
  memory->has_sums = memory->has_point = memory->on_trial = 0;
  memory->shortened = 0;
  memory->reach = FIRST_REACH;
  memory->plain_left = memory->penalty = FIRST_PLAIN;
  double light = LIGHT * problem->total / (double)problem->m;
  for (size_t j = 0; j < problem->m; j++)
    memory->inverse[j] = problem->b[j] > light ? 1.0 / problem->b[j] : 0.0;
}

/* The error at gamma, and its squared norm weighed with 1/b; 0 where sums cannot be relied on. */
static int find_gradient(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_memory *memory = &self->memory;
  if (!problem->parts->marginal(self, problem, memory->marginal)) return 0;
  double error = 0.0;
  for (size_t j = 0; j < problem->m; j++) {
    int present = problem->b[j] > 0.0;
    double c = memory->marginal[j], off = problem->b[j] - c;
    if (present && !(c > 0.0 && isfinite(c))) return 0;
    memory->gradient[j] = memory->inverse[j] > 0.0 ? off : 0.0;
    error += off * off * memory->inverse[j];
  }
  memory->error = error;
  return isfinite(error);
}

/* The step last taken and what it did to the gradient; the oldest pair makes room. */
static void remember(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_memory *memory = &self->memory;
  size_t m = problem->m, at = memory->next;
  double *move = memory->moves + at * m, *change = memory->changes + at * m, size = 0.0;
  for (size_t j = 0; j < m; j++) {
    move[j] = memory->inverse[j] > 0.0 ? self->gamma[j] - memory->point[j] : 0.0;
    change[j] = memory->gradient_before[j] - memory->gradient[j];
    size += change[j] * change[j] * memory->inverse[j];
  }
  double product = burl_num_dot(move, change, m);
  if (!(product > LEAST_SHARE * size) || !(size > 0.0)) return;
  memory->product[at] = product;
  memory->scale = fmax(1.0, product / size);
  memory->next = (at + 1) % BURL_SINKHORN_PAIRS;
  memory->pairs += memory->pairs < BURL_SINKHORN_PAIRS;
}

/* step = (inverse Hessian as remembered) gradient, by the two loops of L-BFGS. */
static void multiply(burl_sinkhorn_memory *memory, size_t m) {
  double share[BURL_SINKHORN_PAIRS], *step = memory->step;
  memcpy(step, memory->gradient, m * sizeof *step);
  for (size_t k = 1; k <= memory->pairs; k++) {
    size_t at = (memory->next + BURL_SINKHORN_PAIRS - k) % BURL_SINKHORN_PAIRS;
    share[at] = burl_num_dot(memory->moves + at * m, step, m) / memory->product[at];
    burl_num_add_scaled(step, -share[at], memory->changes + at * m, m);
  }
  for (size_t j = 0; j < m; j++)
    step[j] *= memory->scale * memory->inverse[j];
  for (size_t k = memory->pairs; k >= 1; k--) {
    size_t at = (memory->next + BURL_SINKHORN_PAIRS - k) % BURL_SINKHORN_PAIRS;
    double back = burl_num_dot(memory->changes + at * m, step, m) / memory->product[at];
    burl_num_add_scaled(step, share[at] - back, memory->moves + at * m, m);
  }
}

/* Finds the step and its slope; 0 where it does not go up. The part along (1, .., 1), which changes
 * no plan, is taken out. Light columns take their plain step. */
static int find_step(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_memory *memory = &self->memory;
  double *step = memory->step, longest = 0.0;
  multiply(memory, problem->m);
  double mean = burl_num_dot(step, problem->b, problem->m) / problem->total;
  for (size_t j = 0; j < problem->m; j++) {
    step[j] = memory->inverse[j] > 0.0 ? step[j] - mean : 0.0;
    longest = fmax(longest, fabs(step[j]));
  }
  double share = longest > memory->reach ? memory->reach / longest : 1.0;
  for (size_t j = 0; j < problem->m; j++) {
    int light = problem->b[j] > 0.0 && memory->inverse[j] <= 0.0;
    step[j] = light ? self->log_b[j] - log(memory->marginal[j]) : step[j] * share;
  }
  memory->slope = burl_num_dot(memory->gradient, step, problem->m);
  return isfinite(longest) && memory->slope > 0.0;
}

/* gamma = point + step, as far as there is mass. */
static void move_by_step(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  const burl_sinkhorn_memory *memory = &self->memory;
  for (size_t j = 0; j < problem->m; j++)
    if (problem->b[j] > 0.0) self->gamma[j] = memory->point[j] + memory->step[j];
  problem->parts->place(self, problem);
}

/* From the point before: a shorter step, or after several the plain one. */
static void step_back(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                      double slope_after) {
  burl_sinkhorn_memory *memory = &self->memory;
  memory->reach = fmax(FIRST_REACH, 0.25 * memory->reach);
  if (memory->shortened++ < MOST_SHORTENED) {
    double share = memory->slope / (memory->slope - slope_after);
    share = share > 0.1 ? fmin(share, 0.5) : 0.1; /* NaN as well */
    for (size_t j = 0; j < problem->m; j++)
      memory->step[j] *= share;
    memory->slope *= share;
  } else {
    memory->pairs = memory->next = 0;
    memory->penalty *= 2;
    memory->plain_left = memory->penalty;
    memory->on_trial = 0;
    for (size_t j = 0; j < problem->m; j++)
      if (problem->b[j] > 0.0) memory->step[j] = self->log_b[j] - log(memory->marginal_before[j]);
  }
  move_by_step(self, problem);
}

static void keep_point(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_memory *memory = &self->memory;
  memcpy(memory->point, self->gamma, problem->m * sizeof *memory->point);
  memcpy(memory->marginal_before, memory->marginal, problem->m * sizeof *memory->marginal);
  memcpy(memory->gradient_before, memory->gradient, problem->m * sizeof *memory->gradient);
  memory->error_before = memory->error;
  memory->has_point = 1;
}

/* Takes the place of a column step. With `plain` it is one, whatever has been learned. */
static void step(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, int reliable,
                 int plain) {
  burl_sinkhorn_memory *memory = &self->memory;
  if (reliable && memory->on_trial) {
    double after = burl_num_dot(memory->gradient, memory->step, problem->m);
    int kept = after >= -memory->slope && memory->error <= MOST_RISE * memory->error_before;
    if (!kept && !plain) {
      step_back(self, problem, after);
      return;
    }
    if (after >= STRAIGHT * memory->slope) memory->reach *= 2.0;
  } else if (memory->on_trial && !plain) {
    step_back(self, problem, (double)NAN);
    return;
  }
  if (reliable && memory->has_point) remember(self, problem);
  memory->shortened = 0;
  memory->on_trial = memory->has_point = 0;
  if (reliable) keep_point(self, problem);
  int ready = reliable && !plain && memory->plain_left == 0 && memory->pairs > 0 &&
              memory->error <= FAR * problem->total;
  if (ready && find_step(self, problem)) {
    memory->on_trial = 1;
    move_by_step(self, problem);
    return;
  }
  if (ready) memory->pairs = memory->next = 0;
  if (memory->plain_left > 0) memory->plain_left--;
  problem->parts->columns(self, problem);
}

static double largest_look(const burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                           double tolerance) {
  return fmax(4.0 * tolerance, self->float_floor) *
         fmax(1.0, sqrt((double)problem->n / (double)problem->m));
}

int burl_sinkhorn_accelerated_sweep(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                                    int look, int last, double tolerance) {
  burl_sinkhorn_memory *memory = &self->memory;
  if (problem->order == BURL_COLUMN_THEN_ROW) {
    if (memory->has_sums)
      step(self, problem, find_gradient(self, problem), 0);
    else
      problem->parts->columns(self, problem);
    problem->parts->rows(self, problem);
    memory->has_sums = 1;
    return look || last;
  }
  problem->parts->rows(self, problem);
  int reliable = find_gradient(self, problem);
  int near = reliable && sqrt(burl_num_dot(memory->gradient, memory->gradient, problem->m)) <=
                             largest_look(self, problem, tolerance);
  int plain = last || (look && near);
  step(self, problem, reliable, plain);
  return plain;
}
