// SPDX-License-Identifier: Apache-2.0
// The names of the protocol as constants: TAM_NAME_WORKER_INIT is "init". Those
// that nobody uses take no room in the module.
#ifndef TAM_CORE_EVENT_NAMES_H
#define TAM_CORE_EVENT_NAMES_H

#define TAM_EVENT_OBJECT(object)
#define TAM_EVENT_NAME(object, member, value)                                  \
  static const char TAM_NAME_##object##_##member[] = value;
#include "core/event_names.def"
#undef TAM_EVENT_OBJECT
#undef TAM_EVENT_NAME

#endif // TAM_CORE_EVENT_NAMES_H
