// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

// 0 stands for any digit; everything else for itself.
static const char form[] = "0000-00-00T00:00:00.000Z";

// The form, and the same without milliseconds.
#define LEN       (sizeof(form) - 1)
#define SHORT_LEN (LEN - 4)

static int has_form(tam_span text) {
  for (size_t i = 0; i + 1 < text.len; i++) {
    int is_digit = (uint8_t)(text.ptr[i] - '0') <= 9;
    if (form[i] == '0' ? !is_digit : text.ptr[i] != (uint8_t)form[i]) {
      return 0;
    }
  }
  return text.ptr[text.len - 1] == 'Z';
}

static int digits(tam_span text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; i++) {
    value = value * 10 + (text.ptr[i] - '0');
  }
  return value;
}

// Returns the days from the epoch to a date of the Gregorian calendar. Years
// begin in March here, so that the leap day is their last; 153 days make five
// months from March or August on. (Fliegel and Van Flandern, 1968.)
static int days_of(int year, int month, int day) {
  int is_early = month <= 2;
  year -= is_early;
  month += is_early ? 9 : -3;
  return 365 * year + year / 4 - year / 100 + year / 400 +
         (153 * month + 2) / 5 + day - 1 - 719468;
}

double tam_time_of(tam_span text) {
  if ((text.len != LEN && text.len != SHORT_LEN) || !has_form(text)) {
    return -1;
  }
  int month = digits(text, 5, 2);
  int day = digits(text, 8, 2);
  int hour = digits(text, 11, 2);
  int minute = digits(text, 14, 2);
  int second = digits(text, 17, 2);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
      minute > 59 || second > 59) {
    return -1;
  }
  double ms = text.len == LEN ? digits(text, 20, 3) : 0;
  double minutes =
      days_of(digits(text, 0, 4), month, day) * 1440.0 + hour * 60 + minute;
  ms += (minutes * 60 + second) * 1000;
  return ms >= 0 ? ms : -1;
}
