// SPDX-License-Identifier: Apache-2.0
// The little mathematics that choosing a token needs, the same on every
// platform to the last bit: exponential and logarithm, and passes over rows of
// logits, four numbers at once where the platform can.
#ifndef TAM_CHAT_FLOAT_MATH_H
#define TAM_CHAT_FLOAT_MATH_H

#include "tam.h"

// The largest float. Its negative stands for "nearly impossible" where minus
// infinity would spoil a sum.
#define TAM_FLOAT_MAX 3.402823466e38F

// Returns e^|x|, with a relative error of less than 3e-7 and 1e-7 more for each
// 1 that |x| is below 0; 0 below -87.1 and for NaN. |x| must not be above 0.
float tam_exp_float(float x);

// Returns e^|x| to about 15 digits; 0 or infinity beyond the range of a double.
double tam_exp(double x);

// Returns the natural logarithm of |x| to about 15 digits. Minus infinity for
// 0; |x| must not be negative.
double tam_log(double x);

// Returns |base|^|power| for a |base| above 0.
double tam_power(double base, double power);

// Returns the largest of the |count| values that are not NaN, or minus infinity
// when there is none.
float tam_float_max(const float *values, size_t count);

// Replaces each of the sixteen values by e^(value - max); NaN by 0. None may be
// above |max|, which is finite.
void tam_float_exp(float values[16], float max);

// Returns the sum of e^((value - max) * scale) over |count| values, of which
// |max|, which is finite, is the largest. NaN and minus infinity add nothing.
double tam_float_sum_exp(const float *values, size_t count, float max,
                         float scale);

// Two sums over the terms d = (value - max) * scale.
typedef struct tam_exp_sum {
  double total;    // of e^d
  double weighted; // of d * e^d
} tam_exp_sum;

// Returns both sums, which takes longer; |total| is the very same.
tam_exp_sum tam_float_sum_weighted(const float *values, size_t count, float max,
                                   float scale);

// The bounds of tam_float_sum_tails: 2^-8, 2^-12 and 2^-16.
#define TAM_EXP_TAILS             3
#define TAM_EXP_TAIL_BOUND(place) (1.0F / (float)(256 << (4 * (place))))

// Returns the total, and stores into |tails| how much of it are terms below
// each of the bounds.
double tam_float_sum_tails(const float *values, size_t count, float max,
                           float scale, double tails[TAM_EXP_TAILS]);

// The values that tam_float_find_from looks at together.
#define TAM_FLOAT_BLOCK 16

// Returns where the first block, from |from| on, begins in which a value is
// |least| or more, or an incomplete one at the end; |count| when there is none.
size_t tam_float_find_from(const float *values, size_t from, size_t count,
                           float least);

// Takes |amount| from each of the |count| values.
void tam_float_subtract(float *values, size_t count, float amount);

#endif // TAM_CHAT_FLOAT_MATH_H
