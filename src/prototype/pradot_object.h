/* prototype/pradot_object.h: the inside of a fitted object. */
#ifndef BURL_PROTOTYPE_PRADOT_OBJECT_H
#define BURL_PROTOTYPE_PRADOT_OBJECT_H

#include "prototype/pradot.h"

/* Patches that scoring looks at together. */
#define BURL_PRADOT_STRIP 64

struct burl_pradot {
  burl_pradot_parts parts; /* of the arrays below */
  float *prototypes, *positions;
  float *directions; /* (count,d) */
  double *losses;
  size_t cells; /* positions repeat after so many */
};

#endif
