/* What follows the columns that inner kernels read, im2col_dsp.h; scratch has room for it (harness/kernels/convolution_dsp.py). */
#ifndef HIL_KERNELS_COLUMNS_END_H
#define HIL_KERNELS_COLUMNS_END_H

/* Marks the end of the columns of two pixels, and no activations can look like it. A constant that CMP takes. */
#define HIL_COLUMNS_END 0x7f007f00

/* Words after the columns of two pixels: the mark, and what loads that run ahead touch; and after the column of one. */
#define HIL_COLUMNS_END_WORDS 3
#define HIL_COLUMN_END_WORDS 2

#endif
