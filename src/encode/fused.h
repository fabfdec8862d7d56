/* encode/fused.h: several encoders as one: their groups one after the other. */
#ifndef BURL_ENCODE_FUSED_H
#define BURL_ENCODE_FUSED_H

#include "encode/encoder.h"

/* Takes parts (count) over, 1..BURL_MAX_PARTS; a single one is given back as it is. They have
 * learned all they are to learn: the whole has no passes. Errors: BURL_ERR_ARGUMENT (no part, too
 * many parts or groups), BURL_ERR_MEMORY; the parts are then still the caller's. */
burl_status burl_fused_new(burl_encoder **encoder, burl_encoder *const *parts,
                           size_t count) BURL_MUST_CHECK;

/* Parts of an encoder; one that is not fused is its own only part. */
size_t burl_fused_count(const burl_encoder *encoder);
burl_encoder *burl_fused_get(burl_encoder *encoder, size_t part);
const burl_encoder *burl_fused_get_const(const burl_encoder *encoder, size_t part);
/* The part that a group belongs to. */
size_t burl_fused_part_of(const burl_encoder *encoder, size_t group);

#endif
