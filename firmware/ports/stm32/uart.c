/* The byte stream on the UART of the debug probe's serial port.
 *
 * Polled: the host sends only when asked to or when it has waited long, so that a byte has the time of a byte on the
 * line (10.9 us at 921600 baud; 16 or 8 of them where the UART has a FIFO) to be taken. What comes while a model runs,
 * and exceeds that, is lost: the USART says so, it is counted, and the protocol asks again. */
#include "gpio.h"
#include "hil_line.h"
#include "hil_port.h"
#include "stm32.h"
#include "uart.h"

/* A rate the host never uses is left again after half a second; one that yields so many bad bytes, at once. */
#define TRIAL_TICKS (PORT_CLOCK_HZ / 2U)
#define BAD_BYTES_MAX 16U

static uint32_t bad_bytes; /* with framing errors, since the last good frame */
static bool on_trial;
static uint32_t trial_start;

hil_line_state hil_line = {PORT_UART_BAUD, 0, 0, 0};

static void switch_to(uint32_t baud)
{
    stm32_uart_drain();
    stm32_uart_start(baud);
    hil_line.baud = baud;
    bad_bytes = 0;
    on_trial = false;
}

void hil_stream_init(void)
{
    stm32_pin_alternate(PORT_UART_TX_PORT, PORT_UART_TX_PIN, PORT_UART_FUNCTION);
    stm32_pin_alternate(PORT_UART_RX_PORT, PORT_UART_RX_PIN, PORT_UART_FUNCTION);
    cortexm_boot_at(HIL_BOOT_UART);
    stm32_uart_start(PORT_UART_BAUD);
}

bool hil_port_baud_possible(uint32_t baud)
{
    return baud >= STM32_UART_BAUD_MIN && baud <= PORT_UART_CLOCK_HZ / 16U && baud <= 2000000U;
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
    hil_line.overruns += (what & STM32_UART_OVERRUN) != 0U ? 1U : 0U;
    hil_line.noise += (what & STM32_UART_NOISE) != 0U ? 1U : 0U;
    if ((what & STM32_UART_FRAMING) != 0U) {
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
        uint32_t what = stm32_uart_take(bytes);
        note(what);
        while ((what & STM32_UART_BYTE) != 0U && ++count < size) {
            what = stm32_uart_take(bytes + count);
            note(what);
        }
    }
    return count;
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        stm32_uart_put(bytes[i]);
    }
}
