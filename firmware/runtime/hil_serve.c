/* Requests in, answers out. A request is carried out once: its repetition gets the stored answer. */
#include <string.h>

#include "hil_line.h"
#include "hil_port.h"
#include "hil_runtime.h"

/* Damage is reported at most this often between two good frames, so that garbage cannot make us babble. */
#define DAMAGE_REPORTS 8U

static hil_receiver receiver;
static uint8_t chunk[512];
static size_t chunk_size;
static size_t chunk_at;
static uint32_t damage_reports = DAMAGE_REPORTS;

static uint8_t stored[HIL_FRAME_MAX];
static size_t stored_size;

static struct {
    bool open;
    bool answered;
    uint8_t command;
    uint16_t sequence;
} session;

/* A frame in `receiver` that is to be looked at again once the stopped run has been wound up. */
static bool held;

static void send_short(uint8_t type, uint16_t sequence)
{
    uint8_t frame[HIL_FRAME_HEAD];
    frame[0] = type;
    (void)hil_put16(frame + 1, sequence);
    hil_send(frame, sizeof frame);
}

/* An answer that is not stored: the request in hand stays the one before. */
static void send_status(uint8_t command, uint16_t sequence, uint8_t status)
{
    uint8_t frame[HIL_FRAME_HEAD + 1U];
    frame[0] = command | 0x80U;
    (void)hil_put16(frame + 1, sequence);
    frame[3] = status;
    hil_send(frame, sizeof frame);
}

static void report_damage(void)
{
    if (damage_reports > 0U) {
        damage_reports--;
        send_short(HIL_DAMAGED, session.sequence);
    }
}

const hil_receiver *hil_next_frame(void)
{
    if (held) {
        held = false;
        return &receiver;
    }
    for (;;) {
        if (chunk_at >= chunk_size) {
            chunk_size = hil_port_read(chunk, sizeof chunk);
            chunk_at = 0;
        }
        while (chunk_at < chunk_size) {
            int result = hil_receive(&receiver, chunk[chunk_at++]);
            if (result == HIL_RX_FRAME) {
                damage_reports = DAMAGE_REPORTS;
                hil_port_good_frame();
                return &receiver;
            }
            if (result == HIL_RX_DAMAGED) {
                report_damage();
            }
        }
    }
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
    session.answered = true;
    hil_send(stored, stored_size);
}

void hil_accept(void)
{
    send_short(HIL_ACCEPTED, session.sequence);
}

static void begin(uint8_t command, uint16_t sequence)
{
    session.command = command;
    session.sequence = sequence;
    session.answered = false;
}

static void repeat_answer(void)
{
    if (session.answered) {
        hil_send(stored, stored_size);
    }
}

/* True when the frame in hand is a request not seen before. */
static bool is_new(void)
{
    uint8_t command = receiver.content[0];
    uint16_t sequence = hil_get16(receiver.content + 1);
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

static void carry_out(uint8_t command, const uint8_t *body, size_t size)
{
    switch (command) {
    case HIL_HELLO: hil_do_hello(body, size); break;
    case HIL_MODEL: hil_do_model(body, size); break;
    case HIL_INIT: hil_do_init(body, size); break;
    case HIL_WRITE: hil_do_write(body, size); break;
    case HIL_INVOKE: hil_do_invoke(body, size); break;
    case HIL_CONTINUE: hil_answer(HIL_BAD_STATE, 0); break;
    case HIL_READ: hil_do_read(body, size); break;
    case HIL_WATERMARK: hil_do_watermark(); break;
    case HIL_BAUD: hil_do_baud(body, size); break;
    case HIL_LINE: hil_do_line(); break;
    case HIL_RESET:
        hil_answer(HIL_OK, 0);
        hil_port_reset();
#ifdef HIL_TEST_FAULTS
    case HIL_TEST: hil_do_test(body, size); break;
#endif
    default: hil_answer(HIL_BAD_COMMAND, 0); break;
    }
}

static void handle(void)
{
    uint8_t command = receiver.content[0];
    begin(command, hil_get16(receiver.content + 1));
    carry_out(command, receiver.content + HIL_FRAME_HEAD, receiver.size - HIL_FRAME_HEAD);
}

bool hil_serve_stopped(void)
{
    for (;;) {
        (void)hil_next_frame();
        if (!is_new()) {
            continue;
        }
        switch (receiver.content[0]) {
        case HIL_CONTINUE:
            begin(HIL_CONTINUE, hil_get16(receiver.content + 1));
            if (hil_is_stopped_at(receiver.content + HIL_FRAME_HEAD, receiver.size - HIL_FRAME_HEAD)) {
                hil_accept();
                return true;
            }
            hil_answer(HIL_BAD_STATE, 0);
            break;
        case HIL_INIT:
        case HIL_WRITE:
        case HIL_INVOKE:
            held = true; /* the host moved on: wind the run up first */
            return false;
        default:
            handle();
            break;
        }
    }
}

_Noreturn void hil_main(void)
{
    hil_calibrate();
    send_short(HIL_READY, 0);
    for (;;) {
        (void)hil_next_frame();
        if (is_new()) {
            handle();
        }
    }
}
