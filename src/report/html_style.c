/* The style sheet. Blue and orange tell good from defective also to colour-blind readers; light and
 * dark follow the reader's system; print is always light. */
#include "report/html_page.h"

static const char colours_light[] =
    "--paper:#fff;--ink:#1d2126;--soft:#5b6570;--line:#d5dae0;--card:#f6f7f9;"
    "--good:#0a63ad;--bad:#c24e00;color-scheme:light;";

static const char colours_dark[] =
    "--paper:#15181c;--ink:#e6e9ec;--soft:#a0a9b3;--line:#3a424b;--card:#1e2328;"
    "--good:#5fb0f2;--bad:#ff9a4d;color-scheme:dark;";

static const char rules[] =
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:1.5rem;max-width:74rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",Arial,sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 1rem;overflow-wrap:anywhere}"
    "h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;"
    "border-bottom:1px solid var(--line)}"
    "h3{font-size:1rem;margin:1.4rem 0 .5rem}"
    "p{max-width:46rem;margin:.5rem 0}.soft{color:var(--soft)}.lead{font-size:1.1rem}\n"
    "table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
    "th{font-weight:600;overflow-wrap:break-word}thead "
    "th{color:var(--soft);font-weight:400;font-size:.9rem}"
    "td.n,th.n{text-align:right;white-space:nowrap}.wide{overflow-x:auto}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:"
    "1rem}"
    "figure{margin:0}figcaption{font-size:.9rem;overflow-wrap:anywhere}"
    "svg{display:block;width:100%;height:auto;max-width:46rem}"
    "svg text{fill:var(--ink);font-size:11px}\n"
    ".plot{fill:none;stroke:var(--line)}.grid{stroke:var(--line);stroke-width:.5}"
    ".marker{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:4 3}"
    ".axis{stroke:var(--ink);stroke-width:1}"
    ".bar-good{fill:var(--good)}.bar-bad{fill:var(--bad)}"
    ".line-image,.line-pixel{fill:none;stroke-width:1.8;stroke-linejoin:round}"
    ".line-image{stroke:var(--good)}.line-pixel{stroke:var(--bad);stroke-dasharray:6 3}\n"
    ".key{display:inline-block;width:1.6rem;height:0;margin-right:.4rem;vertical-align:middle;"
    "border-top:2px solid var(--good)}.key.dashed{border-top:2px dashed var(--bad)}"
    ".gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr));gap:"
    "1rem}"
    ".shot{background:var(--card);border:1px solid var(--line);border-radius:.4rem;"
    "padding:.6rem}\n"
    ".shot figcaption{margin-bottom:.4rem}.views{display:flex;gap:.4rem;align-items:flex-start}"
    ".views>*{flex:1 1 0;min-width:0}.views img{display:block;width:100%;height:auto}"
    ".stacked .views{display:grid}.stacked .views>*{grid-area:1/1}"
    ".stacked .views>:nth-child(2){opacity:var(--view)}"
    ".stacked .views>:nth-child(3){opacity:calc(var(--view) - 1)}"
    ".stacked .views>:nth-child(4){opacity:calc(var(--view) - 2)}\n"
    ".tools{background:var(--card);border:1px solid var(--line);border-radius:.4rem;"
    "padding:.2rem .8rem;margin:.8rem 0}.tools[hidden],.shot[hidden]{display:none}"
    ".tools input[type=range]{width:min(24rem,50vw);vertical-align:middle;"
    "accent-color:var(--good)}.hover{font-size:.85rem;margin:0}"
    ".none{color:var(--soft);font-size:.85rem;text-align:center;background:var(--card);border:1px "
    "dashed var(--line);"
    "padding:1.5rem .2rem}.scale{max-width:24rem}.scale rect{shape-rendering:crispEdges}"
    ".patch{display:block;image-rendering:pixelated;border:1px solid var(--line)}"
    ".protos{display:flex;flex-wrap:wrap;gap:.6rem}.proto{width:78px}"
    ".proto figcaption,.match figcaption{font-size:.75rem;color:var(--soft);white-space:nowrap}"
    ".mass{display:block;height:4px;margin-top:2px;width:66px;background:var(--line)}"
    ".mass i{display:block;height:100%;background:var(--good)}\n"
    ".match{display:flex;gap:.6rem;align-items:flex-start;margin-top:.5rem}"
    ".match p{margin:0;font-size:.85rem}"
    "footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}\n";

static const char print_rules[] =
    ".tools,.hover{display:none}body{padding:0;max-width:none;font-size:10pt}h2,h3{break-after:"
    "avoid}"
    ".shot,.proto,.charts figure,tr,svg{break-inside:avoid}img{print-color-adjust:exact}";

void burl_page_style(FILE *out) {
  fprintf(out, ":root{%s}\n", colours_light);
  fprintf(out, "@media (prefers-color-scheme:dark){:root{%s}}\n", colours_dark);
  fputs(rules, out);
  fprintf(out, "@media print{:root{%s}%s}\n", colours_light, print_rules);
}
