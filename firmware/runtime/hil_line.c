/* Requests about the line, and what ports do that have no serial one. */
#include "hil_line.h"

#include "hil_answer.h"
#include "hil_handlers.h"

__attribute__((weak)) hil_line_state hil_line;

__attribute__((weak)) bool hil_port_baud_possible(uint32_t baud)
{
    (void)baud;
    return false;
}

__attribute__((weak)) void hil_port_baud(uint32_t baud)
{
    (void)baud;
}

__attribute__((weak)) void hil_port_good_frame(void)
{
}

/* u32 baud; answered at the old rate */
void hil_do_baud(const uint8_t *body, size_t size)
{
    if (size != 4U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t baud = hil_get32(body);
    if (!hil_port_baud_possible(baud)) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    hil_answer(HIL_OK, 0);
    hil_port_baud(baud);
}

/* -> u32 baud, u32 overruns, u32 framing errors, u32 noise */
void hil_do_line(void)
{
    uint8_t *answer = hil_answer_body();
    uint8_t *p = hil_put32(answer, hil_line.baud);
    p = hil_put32(p, hil_line.overruns);
    p = hil_put32(p, hil_line.framing);
    p = hil_put32(p, hil_line.noise);
    hil_answer(HIL_OK, (size_t)(p - answer));
}
