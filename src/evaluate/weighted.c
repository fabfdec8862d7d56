/* One walk down the bins for each measure. */
#include "evaluate/weighted.h"

#include "evaluate/pimo.h"

#include <math.h>

/* The bins, with one for all that lies above and one for all that lies below. */
static double good_at(const burl_weighted *w, size_t i) {
  if (i == 0) return w->good_top;
  return i > w->bins ? w->good_bottom : w->good_scale * w->good[(i - 1) * w->stride];
}

static double defect_at(const burl_weighted *w, size_t i) {
  if (i == 0) return w->defect_top;
  return i > w->bins ? w->defect_bottom : w->defect_scale * w->defect[(i - 1) * w->stride];
}

static void sum_up(double *good, double *defect, const burl_weighted *w) {
  *good = *defect = 0;
  for (size_t i = 0; i < w->bins + 2; i++) {
    *good += good_at(w, i);
    *defect += defect_at(w, i);
  }
}

burl_weighted_ranking burl_weigh_ranking(const burl_weighted *w) {
  double goods, defects, fp = 0, tp = 0, area = 0, ap = 0, f1 = 0;
  sum_up(&goods, &defects, w);
  if (!(goods > 0 && defects > 0))
    return (burl_weighted_ranking){(double)NAN, (double)NAN, (double)NAN, 0};
  size_t f1_at = 0;
  for (size_t i = 0; i < w->bins + 2; i++) {
    double good = good_at(w, i), defect = defect_at(w, i);
    area += good * (tp + 0.5 * defect);
    fp += good;
    tp += defect;
    if (defect > 0) {
      ap += defect * tp / (tp + fp);
      double here = 2 * tp / (defects + tp + fp);
      if (here > f1) f1_at = i;
      f1 = fmax(f1, here);
    }
  }
  return (burl_weighted_ranking){area / (goods * defects), ap / defects, f1, f1_at};
}

void burl_weigh_f1(double *f1, const burl_weighted *w) {
  double goods, defects, fp = 0, tp = 0;
  sum_up(&goods, &defects, w);
  for (size_t i = 0; i < w->bins + 2; i++) {
    fp += good_at(w, i);
    tp += defect_at(w, i);
    f1[i] = tp > 0 ? 2 * tp / (defects + tp + fp) : 0;
  }
}

double burl_weigh_overlap(const burl_weighted *w, double regions, double limit) {
  double goods, defects, fp = 0, pro = 0, area = 0;
  sum_up(&goods, &defects, w);
  if (!(goods > 0 && regions > 0)) return (double)NAN;
  double bound = limit * goods;
  for (size_t i = 0; i < w->bins + 2 && fp < bound; i++) {
    double good = good_at(w, i), end = pro + defect_at(w, i) / regions;
    if (good > 0) {
      double width = fmin(good, bound - fp);
      area += width * (pro + 0.5 * (end - pro) * width / good);
    }
    fp += good;
    pro = end;
  }
  return area / bound;
}

double burl_weigh_pimo(const burl_weighted *w) {
  double goods, defects, fp = 0, sum = 0;
  sum_up(&goods, &defects, w);
  if (!(goods > 0 && defects > 0)) return (double)NAN;
  for (size_t i = 0; i < w->bins + 2; i++) {
    /* within a bin the pixels of both kinds are taken to be mixed evenly */
    double defect = defect_at(w, i), good = good_at(w, i);
    if (fp >= BURL_PIMO_HIGH * goods) break;
    if (defect > 0) sum += defect * burl_pimo_share((fp + 0.5 * good) / goods);
    fp += good;
  }
  return sum / defects;
}
