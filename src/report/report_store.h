/* report/report_store.h: what a report holds: every image's score, and pictures of the telling
 * ones. */
#ifndef BURL_REPORT_REPORT_STORE_H
#define BURL_REPORT_REPORT_STORE_H

#include <burl/report.h>

#include "report/match.h"
#include "report/thumb.h"

/* An image that may be shown. */
typedef struct burl_shot {
  char *name, *label, *kind; /* owned; label and kind NULL where unknown */
  int defective;
  double score;
  burl_thumb thumb;
  size_t added;        /* images added before it */
  size_t hot_y, hot_x; /* its hottest pixel */
  burl_match *match;   /* owned; NULL where it is not explained */
} burl_shot;

/* The `low` images with the lowest scores and the `high` with the highest, ascending. */
typedef struct burl_shortlist {
  burl_shot **shots; /* (low+high+1), owned */
  size_t count, low, high;
} burl_shortlist;

typedef struct burl_report_entry {
  char *label; /* owned, NULL where unknown */
  int defective;
  double score;
} burl_report_entry;

struct burl_report {
  char *title;
  size_t gallery;
  burl_report_entry *entries;
  size_t count, room;
  const burl_report_prototypes *prototypes; /* borrowed, NULL where none are shown */
  /* Defective images: the lowest scores may be misses, the highest finds. Good ones: the highest
   * may be false alarms. Which they are is known with the threshold, when the page is written. */
  burl_shortlist defective, good;
};

/* What an image is at a threshold, in the order of the page. */
typedef enum burl_outcome { BURL_MISS, BURL_FALSE_ALARM, BURL_FIND, BURL_PASS } burl_outcome;
#define BURL_OUTCOMES 4

burl_outcome burl_outcome_of(int defective, double score, double threshold);

/* Chooses at most self->gallery images, grouped by outcome: `chosen` (gallery) is filled, counts
 * (BURL_OUTCOMES) says how many of each. Misses come lowest score first, the others highest first.
 */
void burl_report_choose(const burl_report *self, const burl_shot **chosen,
                        size_t counts[BURL_OUTCOMES], double threshold);

#endif
