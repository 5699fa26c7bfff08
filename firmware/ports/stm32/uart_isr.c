/* USART and LPUART of H7, F7 and L4 (RM0433, RM0455, RM0385, RM0432, RM0351: chapters USART and LPUART). */
#include "stm32.h"
#include "uart.h"

#define CR1 (PORT_UART_BASE + 0x00U)
#define CR2 (PORT_UART_BASE + 0x04U)
#define CR3 (PORT_UART_BASE + 0x08U)
#define BRR (PORT_UART_BASE + 0x0CU)
#define ISR (PORT_UART_BASE + 0x1CU)
#define ICR (PORT_UART_BASE + 0x20U)
#define RDR (PORT_UART_BASE + 0x24U)
#define TDR (PORT_UART_BASE + 0x28U)

#define CR1_UE (1U << 0)
#define CR1_RE (1U << 2)
#define CR1_TE (1U << 3)
#define CR1_FIFOEN (1U << 29)
#define ISR_FE (1U << 1)
#define ISR_NE (1U << 2)
#define ISR_ORE (1U << 3)
#define ISR_RXNE (1U << 5) /* RXFNE with FIFO */
#define ISR_TC (1U << 6)
#define ISR_TXE (1U << 7) /* TXFNF with FIFO */
#define ISR_TEACK (1U << 21)
#define ISR_REACK (1U << 22)
#define ICR_FECF (1U << 1)
#define ICR_NECF (1U << 2)
#define ICR_ORECF (1U << 3)

#ifdef PORT_UART_HAS_FIFO
#define CR1_FIFO CR1_FIFOEN
#else
#define CR1_FIFO 0U
#endif

static uint32_t divider(uint32_t baud)
{
#ifdef PORT_UART_IS_LPUART
    return (uint32_t)((256ULL * PORT_UART_CLOCK_HZ + baud / 2U) / baud);
#else
    return (PORT_UART_CLOCK_HZ + baud / 2U) / baud; /* 16 samples a bit: OVER8 is 0 */
#endif
}

void stm32_uart_start(uint32_t baud)
{
    CORTEXM_REGISTER(CR1) = 0; /* the rest can be set only while it is off */
    CORTEXM_REGISTER(CR2) = 0; /* one stop bit */
    CORTEXM_REGISTER(CR3) = 0;
    CORTEXM_REGISTER(BRR) = divider(baud);
    CORTEXM_REGISTER(CR1) = CR1_FIFO;
    CORTEXM_REGISTER(CR1) = CR1_FIFO | CR1_UE | CR1_TE | CR1_RE; /* 8 bits, no parity */
    stm32_uart_await(ISR, ISR_TEACK | ISR_REACK, HIL_BOOT_UART);
}

uint32_t stm32_uart_take(uint8_t *byte)
{
    uint32_t isr = CORTEXM_REGISTER(ISR);
    uint32_t what = 0;
    if ((isr & ISR_ORE) != 0U) {
        CORTEXM_REGISTER(ICR) = ICR_ORECF;
        what |= STM32_UART_OVERRUN;
    }
    if ((isr & ISR_RXNE) != 0U) {
        /* these two belong to the byte that is next to be read */
        what |= STM32_UART_BYTE;
        what |= (isr & ISR_FE) != 0U ? (uint32_t)STM32_UART_FRAMING : 0U;
        what |= (isr & ISR_NE) != 0U ? (uint32_t)STM32_UART_NOISE : 0U;
        if ((isr & (ISR_FE | ISR_NE)) != 0U) {
            CORTEXM_REGISTER(ICR) = ICR_FECF | ICR_NECF;
        }
        *byte = (uint8_t)CORTEXM_REGISTER(RDR);
    }
    return what;
}

void stm32_uart_put(uint8_t byte)
{
    stm32_uart_await(ISR, ISR_TXE, HIL_BOOT_UART_SEND);
    CORTEXM_REGISTER(TDR) = byte;
}

void stm32_uart_drain(void)
{
    stm32_uart_await(ISR, ISR_TC, HIL_BOOT_UART_DRAIN);
}
