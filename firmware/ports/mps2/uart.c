/* The byte stream on the board's first CMSDK UART. */
#include "cortexm.h"
#include "hil_port.h"
#include "port_config.h"

#define UART_DATA CORTEXM_REGISTER(PORT_UART_BASE + 0x00U)
#define UART_STATE CORTEXM_REGISTER(PORT_UART_BASE + 0x04U)
#define UART_CTRL CORTEXM_REGISTER(PORT_UART_BASE + 0x08U)
#define UART_BAUDDIV CORTEXM_REGISTER(PORT_UART_BASE + 0x10U)

#define STATE_TX_FULL 1U
#define STATE_RX_FULL 2U

void stream_init(void)
{
    UART_BAUDDIV = 16U;
    UART_CTRL = 3U;
}

size_t hil_port_read(uint8_t *bytes, size_t size)
{
    (void)size;
    while ((UART_STATE & STATE_RX_FULL) == 0U) {
    }
    bytes[0] = (uint8_t)UART_DATA;
    return 1;
}

void hil_port_write(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        while ((UART_STATE & STATE_TX_FULL) != 0U) {
        }
        UART_DATA = bytes[i];
    }
}
