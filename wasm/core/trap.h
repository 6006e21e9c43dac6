// SPDX-License-Identifier: Apache-2.0
// Assertions for programmer errors. They stay on in the shipped module, where
// assert() would drag in stdio.
#ifndef TAM_CORE_TRAP_H
#define TAM_CORE_TRAP_H

#define TAM_ASSERT(condition)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      __builtin_trap();                                                        \
    }                                                                          \
  } while (0)

#endif // TAM_CORE_TRAP_H
