// SPDX-License-Identifier: Apache-2.0
// Exponential, logarithm and the passes over rows, against known values and
// against sums made one by one.
#include "chat/float_math.h"

#include "check.h"

#define INF  __builtin_inff()
#define NONE __builtin_nanf("")

static int is_near(double actual, double expected, double relative) {
  double size = expected < 0 ? -expected : expected;
  double off = actual < expected ? expected - actual : actual - expected;
  if (!(off <= size * relative)) {
    printf("%.17g instead of %.17g\n", actual, expected);
    return 0;
  }
  return 1;
}

static void exponentials(void) {
  CHECK(tam_exp(0) == 1);
  CHECK(is_near(tam_exp(1), 2.718281828459045, 4e-16));
  CHECK(is_near(tam_exp(-1), 0.36787944117144233, 4e-16));
  CHECK(is_near(tam_exp(100), 2.6881171418161356e43, 1e-14));
  CHECK(is_near(tam_exp(-700), 9.859676543759770e-305, 1e-13));
  CHECK(is_near(tam_exp(-740), 4.199557e-322, 0.01)); // no normal number
  CHECK(tam_exp(-746) == 0);
  CHECK(tam_exp(-(double)INF) == 0);
  CHECK(tam_exp(710) == (double)INF);
  CHECK(tam_exp_float(0) == 1);
  CHECK(tam_exp_float(-INF) == 0);
  CHECK(tam_exp_float(-88) == 0);
  CHECK(tam_exp_float(NONE) == 0);
  for (float x = 0; x > -86.9F; x -= 0.0137F) {
    CHECK(is_near((double)tam_exp_float(x), tam_exp((double)x),
                  3e-7 - 1e-7 * (double)x));
  }
}

static void logarithms(void) {
  CHECK(tam_log(1) == 0);
  CHECK(is_near(tam_log(2), 0.6931471805599453, 4e-16));
  CHECK(is_near(tam_log(10), 2.302585092994046, 4e-16));
  CHECK(is_near(tam_log(1e-300), -690.7755278982137, 4e-16));
  CHECK(is_near(tam_log(4.94065645841246544e-324), -744.4400719213812, 1e-15));
  CHECK(tam_log(0) == -(double)INF);
  CHECK(tam_log((double)INF) == (double)INF);
  for (double x = 0.003; x < 600; x *= 1.07) {
    CHECK(is_near(tam_exp(tam_log(x)), x, 1e-14));
  }
  CHECK(is_near(tam_power(1.5, 2), 2.25, 1e-15));
  CHECK(is_near(tam_power(2, -0.5), 0.7071067811865476, 1e-15));
  CHECK(tam_power(7, 0) == 1);
}

// What the terms below 1 / |bound| are together.
static double tail_of(const float *values, size_t len, float max, int bound) {
  double tail = 0;
  for (size_t i = 0; i < len; i++) {
    double e = tam_exp(((double)values[i] - (double)max) / 2);
    tail += e * bound < 1 ? e : 0;
  }
  return tail;
}

// Every length that ends at another place of a vector and of a block.
static void rows(void) {
  static float values[1100];
  for (size_t i = 0; i < 1100; i++) {
    values[i] = (float)((i * 7919) % 1009) / 40 - 20;
  }
  values[3] = NONE;
  values[9] = -INF;
  for (size_t len = 1; len <= 1100; len += len < 40 ? 1 : 53) {
    float max = -INF;
    double total = 0;
    double weighted = 0;
    for (size_t i = 0; i < len; i++) {
      max = values[i] > max ? values[i] : max;
    }
    for (size_t i = 0; i < len; i++) {
      if (values[i] > -INF) {
        double d = ((double)values[i] - (double)max) / 2;
        total += tam_exp(d);
        weighted += d * tam_exp(d);
      }
    }
    CHECK(tam_float_max(values, len) == max);
    tam_exp_sum sum = tam_float_sum_weighted(values, len, max, 0.5F);
    CHECK(tam_float_sum_exp(values, len, max, 0.5F) == sum.total);
    double tails[TAM_EXP_TAILS];
    CHECK(tam_float_sum_tails(values, len, max, 0.5F, tails) == sum.total);
    for (int k = 0; k < TAM_EXP_TAILS; k++) {
      CHECK(is_near(tails[k], tail_of(values, len, max, 256 << (4 * k)), 1e-5));
    }
    CHECK(is_near(sum.total, total, 1e-6));
    CHECK(is_near(sum.weighted, weighted, 1e-6));
  }
  CHECK(tam_float_max(values + 3, 1) == -INF);
  CHECK(tam_float_max(values, 0) == -INF);
}

static void blocks(void) {
  float block[16];
  for (size_t at = 0; at < 16; at++) {
    for (size_t i = 0; i < 16; i++) {
      block[i] = i % 2 ? NONE : -1;
    }
    CHECK_INT(tam_float_find_from(block, 0, 16, 2), 16);
    block[at] = 2;
    CHECK_INT(tam_float_find_from(block, 0, 16, 2), 0);
    CHECK_INT(tam_float_find_from(block, 0, 16, 2.5F), 16);
  }
  float many[100];
  for (size_t i = 0; i < 100; i++) {
    many[i] = i == 50 ? 2 : NONE;
  }
  CHECK_INT(tam_float_find_from(many, 0, 100, 2), 48);
  CHECK_INT(tam_float_find_from(many, 16, 100, 2), 48);
  CHECK_INT(tam_float_find_from(many, 64, 96, 2), 96);
  // What is left at the end is looked at one by one.
  CHECK_INT(tam_float_find_from(many, 64, 100, 2), 96);
  CHECK_INT(tam_float_find_from(many, 112, 100, 2), 100);
  float sixteen[16] = {0, -1, -INF, NONE, -85, -88, 3, 2, 1};
  tam_float_exp(sixteen, 3);
  CHECK(sixteen[0] == tam_exp_float(-3) && sixteen[4] == 0);
  CHECK(sixteen[2] == 0 && sixteen[3] == 0 && sixteen[5] == 0);
  CHECK(sixteen[6] == 1 && sixteen[8] == tam_exp_float(-2));
  float few[7] = {1, 2, 3, 4, 5, 6, INF};
  tam_float_subtract(few, 7, 1);
  CHECK(few[0] == 0 && few[3] == 3 && few[5] == 5 && few[6] == INF);
}

int main(void) {
  RUN(exponentials);
  RUN(logarithms);
  RUN(rows);
  RUN(blocks);
  return check_finish();
}
