/* USART of the F4 (RM0390, chapter USART). Reading SR and then DR clears the error flags. */
#include "stm32.h"
#include "uart.h"

#define SR (PORT_UART_BASE + 0x00U)
#define DR (PORT_UART_BASE + 0x04U)
#define BRR (PORT_UART_BASE + 0x08U)
#define CR1 (PORT_UART_BASE + 0x0CU)
#define CR2 (PORT_UART_BASE + 0x10U)
#define CR3 (PORT_UART_BASE + 0x14U)

#define SR_FE (1U << 1)
#define SR_NF (1U << 2)
#define SR_ORE (1U << 3)
#define SR_RXNE (1U << 5)
#define SR_TC (1U << 6)
#define SR_TXE (1U << 7)
#define CR1_RE (1U << 2)
#define CR1_TE (1U << 3)
#define CR1_UE (1U << 13)

void stm32_uart_start(uint32_t baud)
{
    CORTEXM_REGISTER(CR1) = 0;
    CORTEXM_REGISTER(CR2) = 0; /* one stop bit */
    CORTEXM_REGISTER(CR3) = 0;
    CORTEXM_REGISTER(BRR) = (PORT_UART_CLOCK_HZ + baud / 2U) / baud; /* 16 samples a bit: OVER8 is 0 */
    CORTEXM_REGISTER(CR1) = CR1_UE | CR1_TE | CR1_RE;                /* 8 bits, no parity */
}

uint32_t stm32_uart_take(uint8_t *byte)
{
    uint32_t status = CORTEXM_REGISTER(SR);
    uint32_t what = 0;
    if ((status & (SR_RXNE | SR_ORE)) == 0U) {
        return 0;
    }
    uint8_t data = (uint8_t)CORTEXM_REGISTER(DR);
    what |= (status & SR_ORE) != 0U ? (uint32_t)STM32_UART_OVERRUN : 0U;
    if ((status & SR_RXNE) != 0U) {
        what |= STM32_UART_BYTE;
        what |= (status & SR_FE) != 0U ? (uint32_t)STM32_UART_FRAMING : 0U;
        what |= (status & SR_NF) != 0U ? (uint32_t)STM32_UART_NOISE : 0U;
        *byte = data;
    }
    return what;
}

void stm32_uart_put(uint8_t byte)
{
    stm32_uart_await(SR, SR_TXE, HIL_BOOT_UART_SEND);
    CORTEXM_REGISTER(DR) = byte;
}

void stm32_uart_drain(void)
{
    stm32_uart_await(SR, SR_TC, HIL_BOOT_UART_DRAIN);
}
