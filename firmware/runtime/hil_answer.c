#include "hil_answer.h"

static uint8_t stored[HIL_FRAME_MAX];
static size_t stored_size; /* 0 while the request in hand is not answered */

static struct {
    bool open;
    uint8_t command;
    uint16_t sequence;
} session;

/* An answer that is not stored: the request in hand stays the one before. */
static void send_status(uint8_t command, uint16_t sequence, uint8_t status)
{
    uint8_t frame[HIL_FRAME_HEAD + 1U];
    frame[0] = command | 0x80U;
    (void)hil_put16(frame + 1, sequence);
    frame[3] = status;
    hil_send(frame, sizeof frame);
}

void hil_tell(uint8_t type)
{
    uint8_t frame[HIL_FRAME_HEAD];
    frame[0] = type;
    (void)hil_put16(frame + 1, session.sequence);
    hil_send(frame, sizeof frame);
}

uint8_t *hil_answer_body(void)
{
    return stored + HIL_FRAME_HEAD + 1U;
}

void hil_answer(uint8_t status, size_t body_size)
{
    uint8_t *p = hil_put8(stored, session.command | 0x80U);
    p = hil_put16(p, session.sequence);
    (void)hil_put8(p, status);
    stored_size = HIL_FRAME_HEAD + 1U + body_size;
    hil_send(stored, stored_size);
}

void hil_begin(uint8_t command, uint16_t sequence)
{
    session.command = command;
    session.sequence = sequence;
    stored_size = 0;
}

static void repeat_answer(void)
{
    if (stored_size > 0U) {
        hil_send(stored, stored_size);
    }
}

bool hil_is_new(uint8_t command, uint16_t sequence)
{
    if (command >= HIL_REQUESTS_END) {
        return false; /* its answer's type would be that of a frame sent unasked */
    }
    if (command == HIL_HELLO) {
        session.open = true; /* a host that starts anew numbers its requests anew */
        return true;
    }
    if (!session.open) {
        send_status(command, sequence, HIL_NO_SESSION);
        return false;
    }
    uint16_t ahead = (uint16_t)(sequence - session.sequence);
    if (ahead == 0U) {
        repeat_answer();
        return false;
    }
    if (ahead >= 0x8000U) {
        return false; /* left over from earlier */
    }
    if (command == HIL_REPEAT) {
        send_status(HIL_REPEAT, sequence, HIL_BAD_STATE); /* the request itself never came */
        return false;
    }
    return true;
}
