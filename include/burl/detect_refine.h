/* burl/detect_refine.h: how much each of n outlines counts, when none may count alone.
 *
 * Qualities q_i become weights p_i that favour the best as far as a least entropy h allows:
 *     maximise <p,q>  over  p_i >= 0, sum p = 1, H(p) = - sum p_i log p_i >= h (nats).
 * The maximum is p = softmax(q / lambda), lambda being where H(p) = h. Coherence then takes weight
 * from ragged masks. docs/math/detect.md, "Weights of outlines". Source: the problem follows
 * published work on fabric defects, where it is solved by Frank-Wolfe steps; that its solution has
 * a closed form, and its gradient, are derived there.
 */
#ifndef BURL_DETECT_REFINE_H
#define BURL_DETECT_REFINE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_ENTROPY_DEFAULT 0.6 /* nats: h as published */

typedef struct burl_entropy_info {
  double inverse; /* 1/lambda: 0 where all weights are equal, infinity where only the best count */
  double entropy; /* of p, in nats */
} burl_entropy_info;

/* p (n) receives the weights of q (n). From h = log n on they are all equal; where the m best are
 * equal and log m >= h these share the weight and the others have none. Otherwise H(p) = h to
 * 1e-9. n may be 0. info may be NULL. p and q do not overlap. Time: some 100 passes over q; nothing
 * is allocated.
 *
 * Errors: BURL_ERR_ARGUMENT (h below 0 or not a number), BURL_ERR_NUMERIC (a quality that is not
 * finite, or above 1e100); p is then unchanged. */
BURL_API burl_status burl_entropy_weights(double *p, const double *q, size_t n, double h,
                                          burl_entropy_info *info) BURL_MUST_CHECK;

/* Back: from dp (n) of a loss to dq (n) and dh (one number), which are added to; NULL: not wanted.
 * p, q and info are those of burl_entropy_weights. Where all weights are equal, or only the best
 * count, small changes of q and h change nothing, and nothing is added. */
BURL_API void burl_entropy_weights_backward(double *dq, double *dh, const double *dp,
                                            const double *p, const double *q, size_t n,
                                            const burl_entropy_info *info);

/* out (n) = p (n) with a share of 0..1 of its weight given to smooth masks, its sum 1 again:
 *     out_i ~ (1 - share) p_i + share (1 - r_i),
 * r being the total variation of mask i, of masks (n, height, width), brought to 0..1 from the
 * smoothest to the most ragged; 0 where all are alike. Published: share 0.1. out may be p.
 *
 * Errors: BURL_ERR_ARGUMENT (share), BURL_ERR_NUMERIC (a mask's variation that is not finite, or
 * weights without a positive sum that is finite), BURL_ERR_MEMORY; out is then unchanged. */
BURL_API burl_status burl_coherent_weights(double *out, const double *p, const float *masks,
                                           size_t n, size_t height, size_t width,
                                           double share) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
