/* The end of a run that went wrong: tell the host, and tell it again as often as it asks. */
#include "hil_fault.h"

#include "hil_port.h"
#include "hil_request.h"

#define STACK_WORDS_MAX 64U

hil_activity hil_now = {HIL_PHASE_IDLE, 0, 0, HIL_NO_LAYER};

/* Header, 17 registers and 2 addresses, 2 status words, stack words; not on the stack, which is small here. */
static uint8_t frame[HIL_FRAME_HEAD + 32U + (19U + STACK_WORDS_MAX) * sizeof(uintptr_t)];

static uint8_t *put_word(uint8_t *p, uintptr_t value)
{
    return sizeof value == 8U ? hil_put64(p, value) : hil_put32(p, (uint32_t)value);
}

static size_t build_frame(const hil_fault_record *record)
{
    size_t words = record->stack_words < STACK_WORDS_MAX ? record->stack_words : STACK_WORDS_MAX;
    uint8_t *p = hil_put8(frame, HIL_FAULT);
    p = hil_put16(p, 0);
    p = hil_put8(p, record->kind);
    p = hil_put8(p, sizeof(uintptr_t));
    p = hil_put8(p, hil_now.phase);
    p = hil_put16(p, hil_now.model);
    p = hil_put32(p, hil_now.run);
    p = hil_put32(p, hil_now.layer);
    for (size_t i = 0; i < 17U; i++) {
        p = put_word(p, record->registers[i]);
    }
    p = hil_put32(p, record->cfsr);
    p = hil_put32(p, record->hfsr);
    p = put_word(p, record->mmfar);
    p = put_word(p, record->bfar);
    p = hil_put8(p, (uint32_t)words);
    for (size_t i = 0; i < words; i++) {
        p = put_word(p, record->stack[i]);
    }
    return (size_t)(p - frame);
}

_Noreturn void hil_fault(const hil_fault_record *record)
{
    size_t size = build_frame(record);
    for (;;) {
        hil_send(frame, size);
        const hil_receiver *request = hil_next_frame();
        if (request->content[0] == HIL_RESET) {
            uint8_t answer[HIL_FRAME_HEAD + 1U];
            answer[0] = HIL_RESET | 0x80U;
            answer[1] = request->content[1];
            answer[2] = request->content[2];
            answer[3] = HIL_OK;
            hil_send(answer, sizeof answer);
            hil_port_reset();
        }
    }
}
