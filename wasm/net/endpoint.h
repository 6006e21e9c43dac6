// SPDX-License-Identifier: Apache-2.0
// The addresses of a Hub and of its mirrors.
#ifndef TAM_NET_ENDPOINT_H
#define TAM_NET_ENDPOINT_H

#include "tam.h"

// The longest address, and the longest list of mirrors.
#define TAM_ENDPOINT_MAX 512
#define TAM_MIRRORS_MAX  4096

// Returns 1 when |url| is "https://host[:port][/path]", or the same with http,
// without blanks, query or fragment.
int tam_endpoint_is_valid(tam_span url);

// Returns 1 when |mirrors| is a list of such addresses, a line each.
int tam_mirrors_are_valid(tam_span mirrors);

#endif // TAM_NET_ENDPOINT_H
