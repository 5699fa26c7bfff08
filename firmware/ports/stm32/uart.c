/* The byte stream on the UART of the debug probe's serial port.
 *
 * Polled: the host sends only when asked to or when it has waited long, so that a byte has the time of a byte on the
 * line (10.9 us at 921600 baud; 16 or 8 of them where the UART has a FIFO) to be taken. What comes while a model runs,
 * and exceeds that, is lost: the USART says so, it is counted, and the protocol asks again. */
#include "gpio.h"
#include "stm32.h"
#include "uart.h"

#define UART_BAUD_MIN STM32_UART_BAUD_MIN
#define UART_BAUD_MAX (PORT_UART_CLOCK_HZ / 16U < 2000000U ? PORT_UART_CLOCK_HZ / 16U : 2000000U)
#define uart_start stm32_uart_start
#define uart_take stm32_uart_take
#define uart_put stm32_uart_put
#define uart_drain stm32_uart_drain
#include "uart_line.h"


void hil_stream_init(void)
{
    stm32_pin_alternate(PORT_UART_TX_PORT, PORT_UART_TX_PIN, PORT_UART_FUNCTION);
    stm32_pin_alternate(PORT_UART_RX_PORT, PORT_UART_RX_PIN, PORT_UART_FUNCTION);
    cortexm_boot_at(HIL_BOOT_UART);
    stm32_uart_start(PORT_UART_BAUD);
}
