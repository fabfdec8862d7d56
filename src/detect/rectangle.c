/* The rectangle of least area has a side along an edge of the convex hull. The hull of a mask is
 * that of the outer corners of its rows; they come sorted by y, so one chain of turns a side finds
 * it. For each edge the far corners in its direction, against it and across are found by walking
 * round with it (rotating calipers), all in whole numbers until the sides are measured.
 * Source: H. Freeman and R. Shapira, Determining the minimum-area encasing rectangle for an
 * arbitrary closed curve, Comm. ACM 18(7), 1975; G. Toussaint, Solving geometric problems with the
 * rotating calipers, 1983.
 */
#include "detect/rectangle.h"

#include <math.h>

typedef burl_corner corner;

size_t burl_rectangle_corners(size_t rows) {
  return 4 * rows + 8;
}

/* Positive: a to b to c turns clockwise, as y points down. */
static int64_t turn(corner a, corner b, corner c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/* Appends c to a chain that turns one way alone; what it makes a dent is taken off. */
static size_t push(corner *chain, size_t n, corner c, int64_t way) {
  while (n >= 2 && way * turn(chain[n - 2], chain[n - 1], c) <= 0)
    n--;
  chain[n] = c;
  return n + 1;
}

/* Both chains go down: the left one from hull[0], the right one from right[0]. */
static void chains(corner *left, size_t *left_count, corner *right, size_t *right_count,
                   const burl_span *spans, size_t count, size_t width) {
  size_t l = 0, r = 0;
  for (size_t i = 0, next; i < count; i = next) {
    int64_t y = (int64_t)(spans[i].begin / width);
    for (next = i + 1; next < count && (int64_t)(spans[next].begin / width) == y;)
      next++;
    int64_t x0 = (int64_t)spans[i].begin - y * (int64_t)width;
    int64_t x1 = (int64_t)spans[next - 1].end - y * (int64_t)width;
    l = push(left, l, (corner){x0, y}, -1);
    l = push(left, l, (corner){x0, y + 1}, -1);
    r = push(right, r, (corner){x1, y}, 1);
    r = push(right, r, (corner){x1, y + 1}, 1);
  }
  *left_count = l;
  *right_count = r;
}

/* right, downwards, then left, upwards: clockwise as y points down. The right chain stands in the
 * second half of the scratch and moves to its beginning. */
static size_t hull_of(corner *scratch, const burl_span *spans, size_t count, size_t width) {
  size_t rows = spans[count - 1].begin / width - spans[0].begin / width + 1;
  corner *right = scratch, *left = scratch + 2 * rows + 4;
  size_t l, r;
  chains(left, &l, right, &r, spans, count, width);
  for (size_t i = 0; i < l / 2; i++) {
    corner swap = left[i];
    left[i] = left[l - 1 - i];
    left[l - 1 - i] = swap;
  }
  for (size_t i = 0; i < l; i++)
    right[r + i] = left[i];
  return r + l;
}

static int64_t along(corner edge, corner c) {
  return edge.x * c.x + edge.y * c.y;
}

typedef struct calipers {
  const corner *hull;
  size_t n;
  size_t ahead, across, behind;
} calipers;

/* Moves a finger on while the next corner is at least as far in the direction. */
static size_t advance(const calipers *c, size_t finger, corner direction) {
  for (size_t steps = 0; steps < c->n; steps++) {
    size_t next = (finger + 1) % c->n;
    if (along(direction, c->hull[next]) < along(direction, c->hull[finger])) break;
    finger = next;
  }
  return finger;
}

/* The rectangle with a side along edge i. */
static void fit_edge(calipers *c, size_t i, burl_oriented_box *box) {
  corner a = c->hull[i], b = c->hull[(i + 1) % c->n];
  corner edge = {b.x - a.x, b.y - a.y}, inward = {-edge.y, edge.x}, back = {-edge.x, -edge.y};
  c->ahead = advance(c, i == 0 ? 0 : c->ahead, edge);
  c->across = advance(c, i == 0 ? c->ahead : c->across, inward);
  c->behind = advance(c, i == 0 ? c->across : c->behind, back);
  double size = hypot((double)edge.x, (double)edge.y);
  double front = (double)along(edge, c->hull[c->ahead]) / size;
  double rear = (double)along(edge, c->hull[c->behind]) / size;
  double near = (double)along(inward, a) / size;
  double far = (double)along(inward, c->hull[c->across]) / size;
  double u = (front + rear) / 2, v = (near + far) / 2;
  double ux = (double)edge.x / size, uy = (double)edge.y / size;
  double angle = atan2(uy, ux) * (180 / 3.14159265358979323846);
  double length = front - rear, width = far - near;
  if (length < width) {
    double swap = length;
    length = width;
    width = swap;
    angle += 90;
  }
  while (angle > 90)
    angle -= 180;
  while (angle <= -90)
    angle += 180;
  *box = (burl_oriented_box){.x = (float)(u * ux - v * uy),
                             .y = (float)(u * uy + v * ux),
                             .length = (float)length,
                             .width = (float)width,
                             .angle = (float)angle};
}

/* Less area by more than rounding, or as much and nearer to level. */
static int is_better(const burl_oriented_box *a, const burl_oriented_box *b) {
  double area_a = (double)a->length * (double)a->width,
         area_b = (double)b->length * (double)b->width;
  if (fabs(area_a - area_b) > 1e-5 * area_b) return area_a < area_b;
  return fabsf(a->angle) < fabsf(b->angle) - 1e-3F;
}

void burl_rectangle(burl_oriented_box *box, const burl_span *spans, size_t count, size_t width,
                    burl_corner *scratch) {
  calipers c = {.hull = scratch, .n = hull_of(scratch, spans, count, width)};
  for (size_t i = 0; i < c.n; i++) {
    burl_oriented_box candidate;
    fit_edge(&c, i, &candidate);
    if (i == 0 || is_better(&candidate, box)) *box = candidate;
  }
}
