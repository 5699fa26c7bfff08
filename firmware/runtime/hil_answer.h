/* Answers to the request in hand. A request is carried out once: its repetition gets the stored answer. */
#ifndef HIL_ANSWER_H
#define HIL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_frame.h"

/* Most bytes of an answer behind its status. */
#define HIL_ANSWER_ROOM (HIL_FRAME_MAX - HIL_FRAME_HEAD - HIL_FRAME_CRC - 1U)

/* True for a request not seen before. Any other gets what is due to it: its stored answer, a refusal, or nothing. */
bool hil_is_new(uint8_t command, uint16_t sequence);

/* Takes a request in hand, which what follows is about. */
void hil_begin(uint8_t command, uint16_t sequence);

/* Answers it: `body_size` bytes that were put at hil_answer_body(). */
uint8_t *hil_answer_body(void);
void hil_answer(uint8_t status, size_t body_size);

/* Tells the host something unasked: HIL_ACCEPTED, HIL_DAMAGED, HIL_READY. */
void hil_tell(uint8_t type);

/* The request in hand has begun and may take long. */
static inline void hil_accept(void)
{
    hil_tell(HIL_ACCEPTED);
}

#endif
