// SPDX-License-Identifier: Apache-2.0
// Vectors of the compiler's own: WebAssembly SIMD, SSE2 or plain code come out
// of the same lines. No operation is fused or reordered, so all of them give
// the same bits.
#include "chat/float_math.h"

#include "core/simd.h"

#include <string.h>

typedef float float4 __attribute__((vector_size(16)));
typedef uint32_t word4 __attribute__((vector_size(16)));

#define SPLAT(x)                                                               \
  (float4) {                                                                   \
    (x), (x), (x), (x)                                                         \
  }

// Added to a number of moderate size it leaves the nearest whole number in the
// lowest bits.
#define ROUNDER 12582912.0F

// Below this, 2^x is taken for 0; far above, it is a normal float.
#define EXP2_MIN (-125.6F)

#define LOG2E 1.44269504F
#define LN2   0.6931471805599453

// The values of which one float adds up the exponentials, before a double takes
// the sum: few enough that nothing is lost.
#define SUM_BLOCK 512

TAM_INLINE float4 load4(const float *values) {
  float4 out;
  memcpy(&out, values, sizeof(out));
  return out;
}

// Returns |a| where |on|, else 0.
TAM_INLINE float4 where(word4 on, float4 a) {
  return (float4)((word4)a & on);
}

// What exp2_4 computes with, each number four times.
typedef struct exp_constants {
  float4 least;
  float4 rounder;
  float4 p[5];
  float4 one;
} exp_constants;

#define TIMES_4(x)                                                             \
  { x, x, x, x }

static const exp_constants constants = {
    TIMES_4(EXP2_MIN),
    TIMES_4(ROUNDER),
    {TIMES_4(1.32647273e-3F), TIMES_4(9.67151299e-3F), TIMES_4(5.55073358e-2F),
     TIMES_4(2.40222424e-1F), TIMES_4(6.93147004e-1F)},
    TIMES_4(1.0F),
};

// Returns where the constants are. As tam_v16_constant does, it hides that they
// are constants: V8 would build each anew wherever it is used.
TAM_INLINE const exp_constants *hidden_constants(void) {
  const exp_constants *ptr = &constants;
  __asm__("" : "+r"(ptr));
  return ptr;
}

// 2^x = 2^n * 2^f with |f| <= 1/2, and 2^f = 1 + f P(f) with the P of degree 4
// that keeps the largest relative error smallest, 1.1e-7. Where |x| is too
// small or NaN, so that the comparison fails, the result means nothing and
// becomes 0. (That the mask is used once matters: clang 14 for WebAssembly does
// not end when it is used twice.)
TAM_INLINE float4 exp2_4(float4 x, const exp_constants *c) {
  word4 on = (word4)(x > c->least);
  float4 n = x + c->rounder;
  word4 power = (word4)n << 23;
  float4 f = x - (n - c->rounder);
  float4 p = c->p[0] * f + c->p[1];
  p = p * f + c->p[2];
  p = p * f + c->p[3];
  p = p * f + c->p[4];
  p = p * f + c->one;
  return where(on, (float4)((word4)p + power));
}

float tam_exp_float(float x) {
  return exp2_4(SPLAT(x * LOG2E), hidden_constants())[0];
}

void tam_float_exp(float values[16], float max) {
  const exp_constants *c = hidden_constants();
  for (size_t i = 0; i < 16; i += 4) {
    float4 e = exp2_4((load4(values + i) - SPLAT(max)) * SPLAT(LOG2E), c);
    memcpy(values + i, &e, sizeof(e));
  }
}

double tam_exp(double x) {
  static const double ln2_high = 6.93147180369123816490e-01;
  static const double ln2_low = 1.90821492927058770002e-10;
  if (!(x > -745)) {
    return 0;
  }
  if (x > 709) {
    return x * 1e308 * 1e308;
  }
  int n = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
  double r = (x - n * ln2_high) - n * ln2_low;
  double sum = 1;
  for (int i = 16; i > 0; i--) {
    sum = 1 + sum * r / i;
  }
  // In two steps: 2^n alone may be too small for a normal number.
  for (int half = n / 2, i = 0; i < 2; i++, half = n - half) {
    uint64_t bits = (uint64_t)(1023 + half) << 52;
    double power;
    memcpy(&power, &bits, sizeof(power));
    sum *= power;
  }
  return sum;
}

// x = 2^n * m with m near 1; ln(m) = 2 atanh(s) with s = (m - 1) / (m + 1).
double tam_log(double x) {
  if (x == 0) {
    return -__builtin_inf();
  }
  int n = 0;
  if (x < 2.2250738585072014e-308) { // no normal number
    x *= 18014398509481984.0;        // 2^54
    n = -54;
  }
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  n += (int)(bits >> 52) - 1023;
  if (n > 1000 && x > 1.7976931348623157e308) {
    return x;
  }
  bits = (bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
  double m;
  memcpy(&m, &bits, sizeof(m));
  if (m > 1.4142135623730951) {
    m /= 2;
    n++;
  }
  double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int i = 23; i > 0; i -= 2) {
    sum = sum * s * s + 1.0 / i;
  }
  return 2 * s * sum + n * 0.6931471805599453;
}

double tam_power(double base, double power) {
  return tam_exp(power * tam_log(base));
}

// Comparisons with NaN are false: it never becomes the maximum. Clang 14 does
// not see that WebAssembly has an instruction for just this.
TAM_INLINE float4 max4(float4 max, float4 value) {
#if defined(__wasm_simd128__)
  return (float4)wasm_f32x4_pmax((v128_t)max, (v128_t)value);
#else
  word4 more = (word4)(value > max);
  return (float4)(((word4)value & more) | ((word4)max & ~more));
#endif
}

float tam_float_max(const float *values, size_t count) {
  float least = -__builtin_inff();
  float4 a = SPLAT(least);
  float4 b = a;
  float4 c = a;
  float4 d = a;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    a = max4(a, load4(values + i));
    b = max4(b, load4(values + i + 4));
    c = max4(c, load4(values + i + 8));
    d = max4(d, load4(values + i + 12));
  }
  a = max4(max4(a, b), max4(c, d));
  for (; i < count; i++) {
    a = max4(a, SPLAT(values[i]));
  }
  for (int k = 0; k < 4; k++) {
    least = a[k] > least ? a[k] : least;
  }
  return least;
}

// What is added up beside the exponentials.
typedef enum sum_kind { SUM_TOTAL = 0, SUM_WEIGHTED, SUM_TAILS } sum_kind;

// The total, and what the kind adds.
#define SUMS (1 + TAM_EXP_TAILS)

TAM_INLINE void add4(float4 sums[SUMS], float4 d, const exp_constants *c,
                     sum_kind kind) {
  float4 e = exp2_4(d, c);
  sums[0] = sums[0] + e;
  if (kind == SUM_WEIGHTED) {
    // Where e is 0, d may be infinite.
    sums[1] = sums[1] + where((word4)(e > SPLAT(0.0F)), e * d);
  }
  for (int i = 0; i < TAM_EXP_TAILS && kind == SUM_TAILS; i++) {
    word4 is_below = (word4)(e < SPLAT(TAM_EXP_TAIL_BOUND(i)));
    sums[1 + i] = sums[1 + i] + where(is_below, e);
  }
}

// Adds up at most SUM_BLOCK values, by powers of 2: |scale| is for these.
TAM_INLINE void sum_block(double out[SUMS], const float *values, size_t count,
                          float max, float scale, sum_kind kind) {
  const exp_constants *c = hidden_constants();
  float4 sums[SUMS] = {SPLAT(0.0F), SPLAT(0.0F), SPLAT(0.0F), SPLAT(0.0F)};
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    float4 a = (load4(values + i) - SPLAT(max)) * SPLAT(scale);
    float4 b = (load4(values + i + 4) - SPLAT(max)) * SPLAT(scale);
    add4(sums, a, c, kind);
    add4(sums, b, c, kind);
  }
  for (; i < count; i++) {
    float4 one = SPLAT(-__builtin_inff());
    one[0] = (values[i] - max) * scale;
    add4(sums, one, c, kind);
  }
  for (int n = 0; n < SUMS; n++) {
    for (int k = 0; k < 4; k++) {
      out[n] += (double)sums[n][k];
    }
  }
}

// Inlined with a constant |kind|: each kind has loops of its own.
TAM_INLINE void sum_all(double out[SUMS], const float *values, size_t count,
                        float max, float scale, sum_kind kind) {
  memset(out, 0, SUMS * sizeof(*out));
  for (size_t i = 0; i < count; i += SUM_BLOCK) {
    size_t len = count - i < SUM_BLOCK ? count - i : SUM_BLOCK;
    sum_block(out, values + i, len, max, scale * LOG2E, kind);
  }
}

double tam_float_sum_exp(const float *values, size_t count, float max,
                         float scale) {
  double sums[SUMS];
  sum_all(sums, values, count, max, scale, SUM_TOTAL);
  return sums[0];
}

tam_exp_sum tam_float_sum_weighted(const float *values, size_t count, float max,
                                   float scale) {
  double sums[SUMS];
  sum_all(sums, values, count, max, scale, SUM_WEIGHTED);
  return (tam_exp_sum){sums[0], sums[1] * LN2};
}

double tam_float_sum_tails(const float *values, size_t count, float max,
                           float scale, double tails[TAM_EXP_TAILS]) {
  double sums[SUMS];
  sum_all(sums, values, count, max, scale, SUM_TAILS);
  memcpy(tails, sums + 1, TAM_EXP_TAILS * sizeof(*tails));
  return sums[0];
}

// Returns 1 when any of the sixteen values is not below |from|.
TAM_INLINE int has_any(const float *values, float4 from) {
  word4 any =
      (word4)(load4(values) >= from) | (word4)(load4(values + 4) >= from) |
      (word4)(load4(values + 8) >= from) | (word4)(load4(values + 12) >= from);
#if defined(__wasm_simd128__)
  return wasm_v128_any_true((v128_t)any);
#endif
  uint64_t halves[2];
  memcpy(halves, &any, sizeof(halves));
  return (halves[0] | halves[1]) != 0;
}

size_t tam_float_find_from(const float *values, size_t from, size_t count,
                           float least) {
  float4 bar = SPLAT(least);
  size_t i = from;
  while (i + TAM_FLOAT_BLOCK <= count && !has_any(values + i, bar)) {
    i += TAM_FLOAT_BLOCK;
  }
  return i < count ? i : count;
}

void tam_float_subtract(float *values, size_t count, float amount) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    float4 rest = load4(values + i) - SPLAT(amount);
    memcpy(values + i, &rest, sizeof(rest));
  }
  for (; i < count; i++) {
    values[i] -= amount;
  }
}
