/* tests/unit/failing.h: allocations that fail on purpose.
 *
 *   for (long i = 0;; i++) {
 *     fail_allocation_after(i);                  // the i-th allocation from here on fails
 *     burl_status status = burl_thing_new(&t);
 *     long made = stop_failing();                // allocations asked for meanwhile
 *     if (status == BURL_OK) break;              // all of them succeeded: done
 *     assert_int_equal(status, BURL_ERR_MEMORY);
 *   }
 *
 * Counting also proves that a function allocates nothing: fail_allocation_after(-1) never fails. */
#ifndef BURL_TESTS_FAILING_H
#define BURL_TESTS_FAILING_H

void fail_allocation_after(long count);
long stop_failing(void);

#endif
