// SPDX-License-Identifier: Apache-2.0
// The addresses of pages and files: encoding, the link to the next page, and
// that nothing leads away from the Hub.
#include "hub/list_url.h"

#include "check.h"

#define HUB TAM_SPAN("https://hub.test")

static tam_buf new_url(void) {
  static tam_mem mem;
  tam_buf url;
  mem = tam_mem_default();
  tam_buf_init(&url, &mem, 65536);
  return url;
}

static void test_first_page(void) {
  tam_buf url = new_url();
  tam_list_params params;
  memset(&params, 0, sizeof(params));
  params.filters[0] = TAM_SPAN("onnx");
  params.filters[1] = TAM_SPAN("license:mit");
  params.filter_count = 2;
  params.search = TAM_SPAN("a b&c=d#\xc3\xa9+%");
  params.author = TAM_SPAN("o-r_g.~");
  params.pipeline_tag = TAM_SPAN("text-generation");
  params.sort = TAM_SPAN("likes");
  params.cursor = TAM_SPAN("eyJ9+/==");
  tam_list_url_first(&url, HUB, &params, 500);
  CHECK_SPAN(tam_buf_span(&url),
             "https://hub.test/api/models?limit=500&filter=onnx"
             "&filter=license%3Amit&search=a%20b%26c%3Dd%23%C3%A9%2B%25"
             "&author=o-r_g.~&pipeline_tag=text-generation&sort=likes"
             "&expand=config&expand=disabled&expand=downloads&expand=gated"
             "&expand=lastModified&expand=library_name&expand=likes"
             "&expand=pipeline_tag&expand=safetensors"
             "&expand=siblings&expand=tags&cursor=eyJ9%2B%2F%3D%3D");
  tam_buf_free(&url);
}

static void test_limit(void) {
  static const struct {
    const char *before;
    const char *after;
  } urls[] = {
      {"https://h/api/models?limit=500&cursor=a%3D",
       "https://h/api/models?limit=7&cursor=a%3D"},
      {"https://h/api/models?cursor=a&limit=1&x&limit=2",
       "https://h/api/models?limit=7&cursor=a&x="},
      {"https://h/api/models?", "https://h/api/models?limit=7"},
      {"https://h/api/models?a=b=c&limits=1",
       "https://h/api/models?limit=7&a=b=c&limits=1"},
  };
  for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
    tam_buf url = new_url();
    tam_list_url_with_limit(&url, tam_span_of(urls[i].before), 7);
    CHECK(tam_span_eq(tam_buf_span(&url), tam_span_of(urls[i].after)));
    tam_buf_free(&url);
  }
}

static void test_next_page(void) {
  static const struct {
    const char *link;
    const char *url; // NULL: not a page of the listing
  } links[] = {
      {"https://hub.test/api/models?cursor=x",
       "https://hub.test/api/models?cursor=x"},
      {"/api/models?cursor=x", "https://hub.test/api/models?cursor=x"},
      {"https://evil.test/api/models?cursor=x",
       "https://hub.test/api/models?cursor=x"},
      {"http://user@evil.test:8080/api/models?a=https://b/c",
       "https://hub.test/api/models?a=https://b/c"},
      {"//evil.test/api/models?cursor=x", NULL},
      {"/api/models", NULL},
      {"/api/modelsx?cursor=x", NULL},
      {"/api/models/../whoami-v2?cursor=x", NULL},
      {"https://hub.test", NULL},
      {"https:///api/models?cursor=x", "https://hub.test/api/models?cursor=x"},
      {"/api/models?cursor=a b", NULL},
      {"/api/models?cursor=a\r\nx", NULL},
      {"/api/models?cursor=\xc3\xa9", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
    tam_buf url = new_url();
    int is_page = tam_list_url_next(&url, HUB, tam_span_of(links[i].link));
    CHECK_INT(is_page, links[i].url != NULL);
    if (links[i].url != NULL) {
      CHECK(tam_span_eq(tam_buf_span(&url), tam_span_of(links[i].url)));
    }
    tam_buf_free(&url);
  }
}

// A mirror in a folder of its host writes links with or without the folder.
static void test_next_page_of_a_mirror(void) {
  static const char *const links[] = {
      "https://mirror.test/hub/api/models?cursor=x",
      "/hub/api/models?cursor=x",
      "https://huggingface.co/api/models?cursor=x",
  };
  for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
    tam_buf url = new_url();
    CHECK_INT(tam_list_url_next(&url, TAM_SPAN("https://mirror.test/hub"),
                                tam_span_of(links[i])),
              1);
    CHECK_SPAN(tam_buf_span(&url),
               "https://mirror.test/hub/api/models?cursor=x");
    tam_buf_free(&url);
  }
}

static void test_cursor(void) {
  static const struct {
    const char *url;
    const char *cursor;
  } urls[] = {
      {"https://h/api/models?limit=1&cursor=eyJ9%3D%3d", "eyJ9=="},
      {"https://h/api/models?cursor=a%2", "a%2"},
      {"https://h/api/models?cursor=%zz%41", "%zzA"},
      {"https://h/api/models?cursor=", ""},
      {"https://h/api/models?cursor=a%8D", ""},
      {"https://h/api/models?cursor=%C3%A9", ""},
      {"https://h/api/models?cursor=a%0A", ""},
      {"https://h/api/models?limit=1", ""},
      {"https://h/api/models?cursors=x", ""},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
    tam_buf cursor = new_url();
    tam_list_url_cursor(&cursor, tam_span_of(urls[i].url));
    CHECK(tam_span_eq(tam_buf_span(&cursor), tam_span_of(urls[i].cursor)));
    tam_buf_free(&cursor);
  }
}

static void test_file(void) {
  tam_buf url = new_url();
  tam_list_url_file(&url, HUB, TAM_SPAN("org/a model?#"),
                    TAM_SPAN("config/config.json"));
  CHECK_SPAN(tam_buf_span(&url), "https://hub.test/org/a%20model%3F%23"
                                 "/resolve/main/config/config.json");
  tam_buf_free(&url);
}

int main(void) {
  RUN(test_first_page);
  RUN(test_limit);
  RUN(test_next_page);
  RUN(test_next_page_of_a_mirror);
  RUN(test_cursor);
  RUN(test_file);
  return check_finish();
}
