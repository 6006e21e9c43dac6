// SPDX-License-Identifier: Apache-2.0
// What the RateLimit headers would say, for clients that cannot read them:
// guessed from which requests the server accepted and which it refused.
#ifndef TAM_NET_WINDOW_GUESS_H
#define TAM_NET_WINDOW_GUESS_H

// How much of the guess is known.
typedef enum tam_window_trust {
  TAM_WINDOW_ASSUMED = 0, // the window began with the first request
  TAM_WINDOW_SEEN,        // its beginning ended a row of refusals
  TAM_WINDOW_CONFIRMED    // and the quota has been met in such a window
} tam_window_trust;

typedef struct tam_window_guess {
  tam_window_trust trust;
  double quota;           // requests per window; INFINITY: no idea
  unsigned accepted;      // requests of the present window
  double reset_before_ms; // the present window ends by then; 0: there was none
  double refused_at_ms;   // the first of the refusals in a row; -1: none
} tam_window_guess;

void tam_window_guess_init(tam_window_guess *guess);

// The server accepted a request; the answer came at |now_ms|. |is_news| is 1
// when it was sent after the last refusal was known.
void tam_window_guess_on_accepted(tam_window_guess *guess, double now_ms,
                                  int is_news);

// A request got no answer: the server may have counted it all the same.
void tam_window_guess_on_loss(tam_window_guess *guess);

// The server refused a request that was sent after the last refusal was known.
void tam_window_guess_on_refused(tam_window_guess *guess, double now_ms);

// Returns for how many ms every request has been refused, 0 when the last one
// was not.
double tam_window_guess_refused_ms(const tam_window_guess *guess,
                                   double now_ms);

// Returns how many requests are left in the window, less |unanswered| ones;
// INFINITY when nothing is known.
double tam_window_guess_budget(const tam_window_guess *guess,
                               unsigned unanswered, double now_ms);

// Returns 1 when the window is used up for certain, else 0.
int tam_window_guess_is_exhausted(const tam_window_guess *guess, double now_ms);

#endif // TAM_NET_WINDOW_GUESS_H
