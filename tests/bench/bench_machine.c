/* The machine itself: a 512^3 float matrix product on one thread. Stands beside figures that other programs
 * measure. */
#include "bench/timing.h"

#include <stdio.h>

int main(void) {
  double gflops = timing_sgemm_gflops();
  double ms = 2.0 * 512.0 * 512.0 * 512.0 / gflops * 1e-6;
  printf("{\"name\": \"sgemm 512\", \"ours_ms\": %.4g, \"peer\": null, \"peer_ms\": null, "
         "\"ratio\": null, \"threads\": 1, \"sgemm_gflops\": %.4g}\n",
         ms, gflops);
  return gflops > 0.0 ? 0 : 1;
}
