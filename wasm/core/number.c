// SPDX-License-Identifier: Apache-2.0
// A number is digits * 10^power. Up to 2^53 the digits, and up to 10^22 the
// power of ten, are exact doubles, and one operation rounds correctly. Beyond
// that every further step may round once more.
#include "core/number.h"

// Digits that fit 64 bits; more do not change a double noticeably.
#define DIGITS_MAX 19

// The largest power of ten that a double holds exactly.
#define EXACT_POWER_MAX 22

// Exponents are cut here: far beyond what a double and the digits of any text
// can make up for.
#define EXPONENT_MAX 100000

typedef struct decimal {
  uint64_t digits;
  int count; // of the digits, without leading zeros
  int power;
} decimal;

static int is_digit(uint8_t byte) {
  return (uint8_t)(byte - '0') <= 9;
}

// Takes a digit in front of the point, or behind it. What does not fit counts
// by its place only.
static void take_digit(decimal *number, uint8_t byte, int is_behind) {
  if (number->count < DIGITS_MAX) {
    number->digits = number->digits * 10 + (uint64_t)(byte - '0');
    number->count += number->digits != 0;
    number->power -= is_behind;
  } else {
    number->power += !is_behind;
  }
}

// Reads the exponent |text|, which may begin with a sign.
static int read_exponent(tam_span text) {
  int exponent = 0;
  for (size_t i = 0; i < text.len && exponent < EXPONENT_MAX; i++) {
    if (is_digit(text.ptr[i])) {
      exponent = exponent * 10 + (text.ptr[i] - '0');
    }
  }
  return text.len > 0 && text.ptr[0] == '-' ? -exponent : exponent;
}

static double scale(double value, int power) {
  int left = power < 0 ? -power : power;
  while (left > 0) {
    double factor = 1;
    for (int i = 0; i < EXACT_POWER_MAX && left > 0; i++, left--) {
      factor *= 10;
    }
    value = power < 0 ? value / factor : value * factor;
  }
  return value;
}

double tam_number_of(tam_span text) {
  decimal number = {0, 0, 0};
  int is_behind = 0;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    if (is_digit(byte)) {
      take_digit(&number, byte, is_behind);
    } else if (byte == '.') {
      is_behind = 1;
    } else if (byte != '-') {
      tam_span exponent = {text.ptr + i + 1, text.len - i - 1};
      number.power += read_exponent(exponent);
      break;
    }
  }
  double value = (double)number.digits;
  if (number.digits != 0) {
    value = scale(value, number.power);
  }
  return text.len > 0 && text.ptr[0] == '-' ? -value : value;
}
