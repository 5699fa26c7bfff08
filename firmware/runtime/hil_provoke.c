/* Faults on request, for the tests of what reports them. Compiled to nothing in every other image. */
#include "hil_answer.h"
#include "hil_handlers.h"

typedef int hil_provoke_is_never_empty;

#ifdef HIL_TEST_FAULTS
#include "hil_port.h"

enum { PROVOKE_STACK = 1, PROVOKE_BUS = 2, PROVOKE_INSTRUCTION = 3, PROVOKE_HANG = 4, PROVOKE_GARBAGE = 5, PROVOKE_RESTART = 6 };

static volatile uint32_t sink;

/* Writes every frame it takes, and uses it after the call so that the compiler cannot make a loop of it. */
static __attribute__((noinline)) uint32_t recurse(uint32_t depth)
{
    volatile uint32_t frame[16];
    for (uint32_t i = 0; i < 16U; i++) {
        frame[i] = depth + i;
    }
    if (depth != 0xFFFFFFFFU) {
        sink = recurse(depth + 1U);
    }
    return frame[depth & 15U] + sink;
}

static void send_garbage(void)
{
    uint8_t bytes[64];
    uint32_t x = 1;
    for (uint32_t block = 0; block < 64U; block++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            x = x * 1664525U + 1013904223U;
            bytes[i] = (uint8_t)(x >> 24);
        }
        hil_port_write(bytes, sizeof bytes);
    }
}

/* u8 what */
void hil_do_test(const uint8_t *body, size_t size)
{
    if (size != 1U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    hil_accept();
    switch (body[0]) {
    case PROVOKE_STACK: sink = recurse(0); break;
    case PROVOKE_BUS: hil_port_bad_access(); break;
    case PROVOKE_INSTRUCTION: hil_port_bad_instruction(); break;
    case PROVOKE_HANG:
        for (;;) {
            sink = 0;
        }
    case PROVOKE_GARBAGE: send_garbage(); break;
    case PROVOKE_RESTART: hil_port_reset();
    default: hil_answer(HIL_BAD_RANGE, 0); return;
    }
    hil_answer(HIL_OK, 0);
}
#endif
