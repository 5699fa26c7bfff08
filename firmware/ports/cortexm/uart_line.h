/* What every polled UART does with its line: rates on trial, errors counted, bytes in and out.
 *
 * Before this header a port's uart.c defines UART_BAUD_MIN, UART_BAUD_MAX, and functions uart_start(baud), uart_take(byte),
 * uart_put(byte) and uart_drain(), as stm32/uart.h describes them. */
#ifndef UART_LINE_H
#define UART_LINE_H

#include "hil_line.h"
#include "hil_port.h"
#include "port_config.h"

enum { UART_FRAMING = 1, UART_NOISE = 2, UART_OVERRUN = 4, UART_BYTE = 8 };

/* A rate the host never uses is left again after half a second; one that yields so many bad bytes, at once. */
#define TRIAL_TICKS (PORT_CLOCK_HZ / 2U)
#define BAD_BYTES_MAX 16U

static uint32_t bad_bytes; /* with framing errors, since the last good frame */
static bool on_trial;
static uint32_t trial_start;

hil_line_state hil_line = {PORT_UART_BAUD, 0, 0, 0};

static void switch_to(uint32_t baud)
{
    uart_drain();
    uart_start(baud);
    hil_line.baud = baud;
    bad_bytes = 0;
    on_trial = false;
}

bool hil_port_baud_possible(uint32_t baud)
{
    return baud >= UART_BAUD_MIN && baud <= UART_BAUD_MAX;
}

void hil_port_baud(uint32_t baud)
{
    switch_to(baud);
    on_trial = baud != PORT_UART_BAUD;
    trial_start = hil_port_tick();
}

void hil_port_good_frame(void)
{
    bad_bytes = 0;
    on_trial = false;
}

static void note(uint32_t what)
{
    hil_line.overruns += (what & UART_OVERRUN) != 0U ? 1U : 0U;
    hil_line.noise += (what & UART_NOISE) != 0U ? 1U : 0U;
    if ((what & UART_FRAMING) != 0U) {
        hil_line.framing++;
        bad_bytes++;
    }
    bool failed = bad_bytes >= BAD_BYTES_MAX || (on_trial && hil_port_tick() - trial_start > TRIAL_TICKS);
    if (failed && hil_line.baud != PORT_UART_BAUD) {
        switch_to(PORT_UART_BAUD);
    }
}

size_t hil_port_read(uint8_t *bytes, size_t size)
{
    size_t count = 0;
    while (count == 0U) {
        uint32_t what = uart_take(bytes);
        note(what);
        while ((what & UART_BYTE) != 0U && ++count < size) {
            what = uart_take(bytes + count);
            note(what);
        }
    }
    return count;
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uart_put(bytes[i]);
    }
}

#endif
