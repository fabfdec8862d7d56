/* Status codes: number, name and sentence come from the one list in burl/base.h. */
#include <burl/base.h>

const char *burl_version(void) {
  return BURL_VERSION;
}

const char *burl_status_get_name(burl_status status) {
  switch (status) {
#define STATUS_NAME(name, number, text)                                                            \
  case name:                                                                                       \
    return #name;
    BURL_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
  }
  return "BURL_ERR_UNKNOWN";
}

const char *burl_status_get_text(burl_status status) {
  switch (status) {
#define STATUS_TEXT(name, number, text)                                                            \
  case name:                                                                                       \
    return text;
    BURL_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
  }
  return "unknown status";
}
