/* The byte stream on the UART of nRF51 and nRF52 that needs no DMA (product specifications, chapter UART), polled: six
 * received bytes wait in its FIFO. */
#include "nrf.h"

#define UART PORT_UART_BASE
#define TASKS_STARTRX (UART + 0x000U)
#define TASKS_STOPRX (UART + 0x004U)
#define TASKS_STARTTX (UART + 0x008U)
#define TASKS_STOPTX (UART + 0x00CU)
#define EVENTS_RXDRDY (UART + 0x108U)
#define EVENTS_TXDRDY (UART + 0x11CU)
#define ERRORSRC (UART + 0x480U)
#define ENABLE (UART + 0x500U)
#define PSELRTS (UART + 0x508U)
#define PSELTXD (UART + 0x50CU)
#define PSELCTS (UART + 0x510U)
#define PSELRXD (UART + 0x514U)
#define RXD (UART + 0x518U)
#define TXD (UART + 0x51CU)
#define BAUDRATE (UART + 0x524U)
#define CONFIG (UART + 0x56CU)

/* port 0, or port 1 of an nRF52840 */
#define GPIO (0x50000000U + 0x300U * (PORT_UART_TX_PIN / 32U))
#define GPIO_OUTSET (GPIO + 0x508U)
#define GPIO_DIRSET (GPIO + 0x518U)

#define ENABLE_UART 4U
#define DISCONNECTED 0xFFFFFFFFU
#define ERROR_OVERRUN (1U << 0)
#define ERROR_PARITY (1U << 1)
#define ERROR_FRAMING (1U << 2)
#define ERROR_BREAK (1U << 3)

#define UART_CLOCK_HZ 16000000U
#define UART_BAUD_MIN NRF_UART_BAUD_MIN
#define UART_BAUD_MAX 1000000U

/* Whether a byte is on its way: TXDRDY tells when it has left. */
static bool sending;

static void uart_drain(void)
{
    if (sending) {
        nrf_await(EVENTS_TXDRDY, 1U, 1U, NRF_UART_POLLS, HIL_BOOT_UART_DRAIN);
        sending = false;
    }
}

/* BAUDRATE is a fraction of the clock in 2^32ths, of which the lower 12 bits are not used. */
static void uart_start(uint32_t baud)
{
    CORTEXM_REGISTER(TASKS_STOPTX) = 1;
    CORTEXM_REGISTER(TASKS_STOPRX) = 1;
    CORTEXM_REGISTER(ENABLE) = 0;
    CORTEXM_REGISTER(BAUDRATE) = (uint32_t)((((uint64_t)baud << 32) / UART_CLOCK_HZ + 0x800U) & ~0xFFFULL);
    CORTEXM_REGISTER(CONFIG) = 0; /* no flow control, no parity */
    CORTEXM_REGISTER(ENABLE) = ENABLE_UART;
    CORTEXM_REGISTER(EVENTS_RXDRDY) = 0;
    CORTEXM_REGISTER(EVENTS_TXDRDY) = 0;
    CORTEXM_REGISTER(TASKS_STARTTX) = 1;
    CORTEXM_REGISTER(TASKS_STARTRX) = 1;
}

static void uart_put(uint8_t byte)
{
    if (sending) {
        nrf_await(EVENTS_TXDRDY, 1U, 1U, NRF_UART_POLLS, HIL_BOOT_UART_SEND);
    }
    CORTEXM_REGISTER(EVENTS_TXDRDY) = 0;
    CORTEXM_REGISTER(TXD) = byte;
    sending = true;
}

static uint32_t uart_take(uint8_t *byte);

#include "uart_line.h"

/* One byte, if there is one; errors are told once. Reading RXD brings the next byte up, and its event. */
static uint32_t uart_take(uint8_t *byte)
{
    if (CORTEXM_REGISTER(EVENTS_RXDRDY) == 0U) {
        return 0;
    }
    uint32_t errors = CORTEXM_REGISTER(ERRORSRC);
    CORTEXM_REGISTER(EVENTS_RXDRDY) = 0;
    *byte = (uint8_t)CORTEXM_REGISTER(RXD);
    uint32_t what = UART_BYTE;
    if (errors != 0U) {
        CORTEXM_REGISTER(ERRORSRC) = errors;
        what |= (errors & ERROR_OVERRUN) != 0U ? (uint32_t)UART_OVERRUN : 0U;
        what |= (errors & (ERROR_FRAMING | ERROR_BREAK)) != 0U ? (uint32_t)UART_FRAMING : 0U;
        what |= (errors & ERROR_PARITY) != 0U ? (uint32_t)UART_NOISE : 0U;
    }
    return what;
}

void hil_stream_init(void)
{
    cortexm_boot_at(HIL_BOOT_UART);
    CORTEXM_REGISTER(ENABLE) = 0;
    CORTEXM_REGISTER(GPIO_OUTSET) = 1U << (PORT_UART_TX_PIN % 32U); /* rests high */
    CORTEXM_REGISTER(GPIO_DIRSET) = 1U << (PORT_UART_TX_PIN % 32U);
    CORTEXM_REGISTER(PSELTXD) = PORT_UART_TX_PIN;
    CORTEXM_REGISTER(PSELRXD) = PORT_UART_RX_PIN;
    CORTEXM_REGISTER(PSELRTS) = DISCONNECTED;
    CORTEXM_REGISTER(PSELCTS) = DISCONNECTED;
    uart_start(PORT_UART_BAUD);
}
