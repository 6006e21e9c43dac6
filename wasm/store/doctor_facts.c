// SPDX-License-Identifier: Apache-2.0
// What the host found out about browser and manifest, judged. docs/extension.md
// says why each of it is needed.
#include "core/json_write.h"
#include "store/doctor_phase.h"
#include "store/store_op.h"

// The oldest versions, see docs/extension.md. They are told to the user in the
// fixes below, too.
#define CHROME_MIN  121
#define FIREFOX_MIN 121

static const tam_json_node *member(const tam_json_node *object,
                                   const char *key) {
  return tam_json_get_member(object, tam_span_of(key));
}

// Returns the number at the start of |text|, as of "119.0.1"; 0: none.
static double major_of(tam_span text) {
  double number = 0;
  (void)tam_span_to_uint(tam_span_head(text, tam_span_find_byte(text, '.')),
                         &number);
  return number;
}

static int has_text(const tam_json_node *list, const char *text) {
  for (const tam_json_node *at = tam_json_get_first(list); at != NULL;
       at = tam_json_get_next(at)) {
    if (tam_span_is(tam_json_get_string(at), text)) {
      return 1;
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------
// Host permissions

// Splits "scheme://host/path". Returns 0 when |text| is something else.
static int split_address(tam_span text, tam_span *pscheme, tam_span *phost,
                         tam_span *ppath) {
  size_t colon = tam_span_find(text, TAM_SPAN("://"));
  tam_span rest = tam_span_from(text, colon + 3);
  size_t slash = tam_span_find_byte(rest, '/');
  *pscheme = tam_span_head(text, colon);
  *phost = tam_span_head(rest, slash);
  *ppath = tam_span_from(rest, slash);
  return colon < text.len;
}

static int host_matches(tam_span pattern, tam_span host) {
  if (tam_span_is(pattern, "*") || tam_span_eq(pattern, host)) {
    return 1;
  }
  if (!tam_span_starts_with(pattern, TAM_SPAN("*."))) {
    return 0;
  }
  return tam_span_eq(tam_span_from(pattern, 2), host) ||
         tam_span_ends_with(host, tam_span_from(pattern, 1));
}

// Returns 1 when the match pattern |pattern| lets requests to |url| through. A
// pattern without a port means all of them.
static int pattern_covers(tam_span pattern, tam_span url) {
  tam_span scheme;
  tam_span host;
  tam_span path;
  tam_span url_scheme;
  tam_span url_host;
  tam_span url_path;
  if (tam_span_is(pattern, "<all_urls>")) {
    return 1;
  }
  if (!split_address(pattern, &scheme, &host, &path) ||
      !split_address(url, &url_scheme, &url_host, &url_path)) {
    return 0;
  }
  tam_span name = tam_span_head(url_host, tam_span_find_byte(url_host, ':'));
  return (tam_span_is(scheme, "*") || tam_span_eq(scheme, url_scheme)) &&
         (host_matches(host, url_host) || host_matches(host, name)) &&
         tam_span_is(path, "/*");
}

static int covers_hub(const tam_store_op *op, const tam_json_node *patterns) {
  for (const tam_json_node *at = tam_json_get_first(patterns); at != NULL;
       at = tam_json_get_next(at)) {
    if (pattern_covers(tam_json_get_string(at), op->store->host.hub_url)) {
      return 1;
    }
  }
  return 0;
}

// ---------------------------------------------------------------------------
// Findings

static void say(tam_store_op *op, const char *check, int is_ok,
                const char *good, const char *bad, const char *fix) {
  tam_store_write_check(op, check, is_ok, tam_span_of(is_ok ? good : bad), fix);
}

static int is_browser(const tam_json_node *facts, const char *name) {
  return tam_span_is(tam_json_get_string(member(facts, "browser")), name);
}

static int is_extension(const tam_json_node *facts) {
  return tam_json_get_kind(member(facts, "manifest")) == TAM_JSON_KIND_OBJECT;
}

static void check_browser(tam_store_op *op, const tam_json_node *facts) {
  uint8_t text[128];
  tam_buf message;
  tam_span name =
      tam_span_head(tam_json_get_string(member(facts, "browser")), 32);
  double version = tam_json_get_number(member(facts, "browserVersion"));
  double needed = is_browser(facts, "chrome")    ? CHROME_MIN
                  : is_browser(facts, "firefox") ? FIREFOX_MIN
                                                 : 0;
  tam_buf_init_fixed(&message, text, sizeof(text));
  tam_buf_append(&message, name);
  if (version > 0) {
    tam_buf_append_byte(&message, ' ');
    tam_text_append_value(&message, version);
  }
  if (needed > 0) {
    tam_buf_append_text(&message, "; needed is ");
    tam_text_append_number(&message, needed);
  } else {
    tam_buf_append_text(&message, " has not been tried");
  }
  tam_store_write_check(op, "browser", needed > 0 && version >= needed,
                        tam_buf_span(&message),
                        "Use Chrome or Edge 121, Firefox 121, or newer.");
}

// Scripts from elsewhere and made of text are what reviewers refuse.
static int csp_is_tight(tam_span csp) {
  return tam_span_find(csp, TAM_SPAN("'unsafe-eval'")) == csp.len &&
         tam_span_find(csp, TAM_SPAN("'unsafe-inline'")) == csp.len &&
         tam_span_find(csp, TAM_SPAN("script-src http")) == csp.len;
}

static void check_csp(tam_store_op *op, const tam_json_node *manifest) {
  tam_span csp = tam_json_get_string(member(manifest, "csp"));
  int lets_run = tam_span_find(csp, TAM_SPAN("'wasm-unsafe-eval'")) < csp.len;
  say(op, "csp", lets_run && csp_is_tight(csp),
      "WebAssembly may run, and nothing from elsewhere",
      lets_run ? "the content security policy lets more run than is needed"
               : "the content security policy does not let WebAssembly run",
      "Set content_security_policy.extension_pages to \"script-src 'self' "
      "'wasm-unsafe-eval'; object-src 'self'\".");
}

static void check_minimum(tam_store_op *op, const tam_json_node *version,
                          double needed, const char *fix) {
  say(op, "minimumVersion", major_of(tam_json_get_string(version)) >= needed,
      "older browsers do not get the extension",
      "browsers that are too old get the extension", fix);
}

static void check_manifest(tam_store_op *op, const tam_json_node *facts) {
  const tam_json_node *manifest = member(facts, "manifest");
  const tam_json_node *permissions = member(manifest, "permissions");
  if (!is_extension(facts)) {
    return;
  }
  say(op, "manifestVersion",
      tam_json_get_number(member(manifest, "version")) == 3, "it is 3",
      "it is not 3", "Set manifest_version to 3.");
  say(op, "storagePermission", has_text(permissions, "storage"),
      "the permission is there",
      "the login lasts only as long as the background",
      "Add \"storage\" to the permissions of the manifest.");
  say(op, "hubAccess", covers_hub(op, member(manifest, "hosts")),
      "the Hub's rate limits can be read",
      "the Hub's rate limits cannot be read, so requests are paced carefully",
      "Add the Hub's address with \"/*\" behind it to host_permissions.");
  check_csp(op, manifest);
  if (is_browser(facts, "chrome")) {
    say(op, "offscreen", has_text(permissions, "offscreen"),
        "the permission is there", "there is no place for models to run",
        "Add \"offscreen\" to the permissions of the manifest.");
    check_minimum(op, member(manifest, "minimumVersion"), CHROME_MIN,
                  "Set minimum_chrome_version to \"121\".");
  } else if (is_browser(facts, "firefox")) {
    check_minimum(op, member(manifest, "minimumFirefox"), FIREFOX_MIN,
                  "Set browser_specific_settings.gecko.strict_min_version to "
                  "\"121.0\".");
  }
}

// Keys that a browser does not know are no advice for it.
static const char *isolation_fix(const tam_json_node *facts) {
  if (!is_extension(facts)) {
    return "Send Cross-Origin-Embedder-Policy: require-corp and "
           "Cross-Origin-Opener-Policy: same-origin with the page.";
  }
  return is_browser(facts, "firefox")
             ? "Firefox isolates no page of an extension; Chrome and Edge do."
             : "Add cross_origin_embedder_policy {\"value\": \"require-corp\"} "
               "and cross_origin_opener_policy {\"value\": \"same-origin\"} to "
               "the manifest.";
}

void tam_store_write_facts(tam_store_op *op, const tam_json_node *facts) {
  if (tam_json_get_kind(facts) != TAM_JSON_KIND_OBJECT) {
    return;
  }
  check_browser(op, facts);
  check_manifest(op, facts);
  say(op, "threads", tam_json_get_bool(member(facts, "isolated")),
      "the processor's cores can work together",
      "models run on one core: the page is not isolated", isolation_fix(facts));
  int has_gpu = tam_json_get_bool(member(facts, "webgpu"));
  say(op, "webgpu", has_gpu, "models can run on the graphics processor",
      "models run on the processor, several times slower",
      "Update browser and graphics driver, and let the browser use the GPU.");
  if (has_gpu) {
    say(op, "f16", tam_json_get_bool(member(facts, "f16")),
        "models in half precision can run there",
        "models in half precision (fp16, q4f16) cannot run there",
        "Choose a dtype without f16, such as q4.");
  }
  say(op, "locks", tam_json_get_bool(member(facts, "locks")),
      "several pages can use the store at once",
      "two pages that store at once may disturb each other",
      "Use a browser with Web Locks, on https.");
}
