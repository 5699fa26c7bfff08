/* The byte stream on the board's first CMSDK UART. */
#include "cortexm.h"
#include "hil_port.h"
#include "port_config.h"

#define UART_DATA CORTEXM_REGISTER(PORT_UART_BASE + 0x00U)
#define UART_STATE CORTEXM_REGISTER(PORT_UART_BASE + 0x04U)
#define UART_CTRL CORTEXM_REGISTER(PORT_UART_BASE + 0x08U)
#define UART_INTERRUPT CORTEXM_REGISTER(PORT_UART_BASE + 0x0CU)
#define UART_BAUDDIV CORTEXM_REGISTER(PORT_UART_BASE + 0x10U)

#define NVIC_ISER CORTEXM_REGISTER(0xE000E100U + 4U * (PORT_UART_RX_IRQ / 32U))
#define NVIC_ICER CORTEXM_REGISTER(0xE000E180U + 4U * (PORT_UART_RX_IRQ / 32U))
#define RX_BIT (1U << (PORT_UART_RX_IRQ % 32U))
#define INTERRUPT_RX 2U

#define STATE_TX_FULL 1U
#define STATE_RX_FULL 2U

void hil_stream_init(void)
{
    UART_BAUDDIV = 16U;
    UART_CTRL = 3U | (1U << 3); /* send, receive, interrupt on receive */
}

/* Sleeps until a byte comes: polling keeps a processor of the emulator's host busy, and slows its own input down threefold.
 * The interrupt only ends the sleep. It is never taken, and off while a model runs. In a fault handler it would not end the
 * sleep, having no higher priority. */
static void sleep_until_byte(void)
{
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    if (exception != 0U) {
        return;
    }
    __asm__ volatile("cpsid i" ::: "memory");
    NVIC_ISER = RX_BIT;
    while ((UART_STATE & STATE_RX_FULL) == 0U) {
        __asm__ volatile("dsb\n\twfi" ::: "memory");
    }
    NVIC_ICER = RX_BIT;
    __asm__ volatile("dsb\n\tisb\n\tcpsie i" ::: "memory");
}

size_t hil_port_read(uint8_t *bytes, size_t size)
{
    (void)size;
    while ((UART_STATE & STATE_RX_FULL) == 0U) {
        sleep_until_byte();
    }
    UART_INTERRUPT = INTERRUPT_RX;
    bytes[0] = (uint8_t)UART_DATA;
    return 1;
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while ((UART_STATE & STATE_TX_FULL) != 0U) {
            /* The emulator's line is a socket, full while the host does not read: that has no limit. */
        }
        UART_DATA = bytes[i];
    }
}
