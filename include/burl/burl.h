/* burl/burl.h: the whole public interface of burl. */
#ifndef BURL_BURL_H
#define BURL_BURL_H

#include <burl/base.h>
#include <burl/dataset.h>
#include <burl/detect.h>
#include <burl/detect_defects.h>
#include <burl/detect_refine.h>
#include <burl/detect_sinkhorn.h>
#include <burl/detect_suppress.h>
#include <burl/detect_truth.h>
#include <burl/encode.h>
#include <burl/evaluate.h>
#include <burl/evaluate_boxes.h>
#include <burl/evaluate_evidence.h>
#include <burl/evaluate_saturation.h>
#include <burl/heat.h>
#include <burl/image.h>
#include <burl/model.h>
#include <burl/model_embed.h>
#include <burl/model_explain.h>
#include <burl/model_heads.h>
#include <burl/prototype.h>
#include <burl/report.h>
#include <burl/report_defects.h>
#include <burl/report_gallery.h>
#include <burl/report_heads.h>
#include <burl/select.h>
#include <burl/shape_distance.h>
#include <burl/synth.h>
#include <burl/synth_put.h>
#include <burl/transport.h>
#include <burl/transport_assignment.h>
#include <burl/transport_cost.h>
#include <burl/transport_gradient.h>
#include <burl/transport_gromov.h>
#include <burl/transport_unbalanced.h>

#endif
