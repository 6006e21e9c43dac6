// SPDX-License-Identifier: Apache-2.0
// The request pool alone as a WebAssembly module, for the scheduler benchmark:
// one pool, one operation, every request told apart by its URL.
#include "core/action_queue.h"
#include "core/random.h"
#include "net/net.h"

#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name), used)) name

#define OP 1U

static struct {
  tam_mem mem;
  tam_action_queue queue;
  tam_random random;
  tam_net *net;
  uint32_t done;
  uint32_t failed;
  uint8_t in_buf[1024];
} driver;

// Starts anew with a pool of |concurrency| slots.
void EXPORT(driver_reset)(uint32_t seed, uint32_t concurrency);
uint8_t *EXPORT(driver_in_buf)(void);
// Queues a request whose URL is the first |url_len| bytes of the input buffer.
int EXPORT(driver_submit)(uint32_t tag, uint32_t url_len, uint32_t attempts_max,
                          double timeout_ms);
// Feeds an HTTP event; its payload is the first |len| bytes of the buffer.
int EXPORT(driver_feed)(uint32_t kind, uint32_t request, uint32_t status,
                        uint32_t len, double now_ms);
// Starts what may start; returns when nothing is left to do at |now_ms|.
void EXPORT(driver_advance)(double now_ms);
const tam_action *EXPORT(driver_next)(void);
double EXPORT(driver_deadline)(void);
uint32_t EXPORT(driver_done)(void);
uint32_t EXPORT(driver_failed)(void);

void driver_reset(uint32_t seed, uint32_t concurrency) {
  uint8_t bytes[16] = {0};
  memcpy(bytes, &seed, sizeof(seed));
  if (driver.net != NULL) {
    tam_net_del(driver.net);
    tam_action_queue_free(&driver.queue);
  }
  driver.mem = tam_mem_default();
  driver.done = 0;
  driver.failed = 0;
  tam_action_queue_init(&driver.queue, &driver.mem);
  tam_random_init(&driver.random, bytes);
  if (tam_net_new(&driver.net, &driver.queue, &driver.random, &driver.mem) !=
          0 ||
      tam_net_open_op(driver.net, OP, concurrency) != 0) {
    __builtin_trap();
  }
}

uint8_t *driver_in_buf(void) {
  return driver.in_buf;
}

int driver_submit(uint32_t tag, uint32_t url_len, uint32_t attempts_max,
                  double timeout_ms) {
  tam_net_request request = {.op = OP,
                             .tag = tag,
                             .bucket = TAM_BUCKET_RESOLVERS,
                             .url = {driver.in_buf, url_len},
                             .timeout_ms = timeout_ms,
                             .attempts_max = attempts_max};
  return tam_net_submit(driver.net, &request);
}

static void count(const tam_net_report *report) {
  driver.done += report->kind == TAM_NET_END;
  driver.failed += report->kind == TAM_NET_FAILED;
}

int driver_feed(uint32_t kind, uint32_t request, uint32_t status, uint32_t len,
                double now_ms) {
  tam_event event = {.kind = (tam_event_kind)kind,
                     .request = request,
                     .status = status,
                     .payload = {driver.in_buf, len}};
  tam_net_report report;
  int result = tam_net_feed(driver.net, &event, now_ms, &report);
  count(&report);
  return result;
}

void driver_advance(double now_ms) {
  tam_net_report report;
  do {
    tam_net_advance(driver.net, now_ms, &report);
    count(&report);
  } while (report.kind != TAM_NET_NOTHING);
}

const tam_action *driver_next(void) {
  return tam_action_queue_pop(&driver.queue);
}

double driver_deadline(void) {
  return tam_net_deadline(driver.net);
}

uint32_t driver_done(void) {
  return driver.done;
}

uint32_t driver_failed(void) {
  return driver.failed;
}
