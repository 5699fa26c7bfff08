/* The Fourier transform of real numbers and back, as kiss_fft computes it, for one type of numbers.
 *
 * fft_s16.h, fft_s32.h and fft_f32.h define the type and its arithmetic and take this in, each under names of its own:
 * HIL_FFT_NUMBER, HIL_FFT(name), and hil_fft_..._divide, _times_real, _times_imaginary, _add, _subtract, _negate and _half.
 * A complex number is two numbers, a transform runs in place in steps of four and, innermost, one of two. */

/* a = a / by */
HIL_INLINE void HIL_FFT(divide_both)(HIL_FFT_NUMBER *a, int32_t by)
{
    a[0] = HIL_FFT(divide)(a[0], by);
    a[1] = HIL_FFT(divide)(a[1], by);
}

/* y = a * b; y may be a */
HIL_INLINE void HIL_FFT(times)(HIL_FFT_NUMBER *y, const HIL_FFT_NUMBER *a, const HIL_FFT_NUMBER *b)
{
    const HIL_FFT_NUMBER real = HIL_FFT(times_real)(a, b);
    y[1] = HIL_FFT(times_imaginary)(a, b);
    y[0] = real;
}

HIL_INLINE void HIL_FFT(pair)(HIL_FFT_NUMBER *a, const HIL_FFT_NUMBER *root)
{
    HIL_FFT_NUMBER t[2];
    HIL_FFT(divide_both)(a, 2);
    HIL_FFT(divide_both)(a + 2, 2);
    HIL_FFT(times)(t, a + 2, root);
    a[2] = HIL_FFT(subtract)(a[0], t[0]);
    a[3] = HIL_FFT(subtract)(a[1], t[1]);
    a[0] = HIL_FFT(add)(a[0], t[0]);
    a[1] = HIL_FFT(add)(a[1], t[1]);
}

/* a: the first of four complex numbers that are `size` apart; roots are `turn` apart. */
HIL_INLINE void HIL_FFT(four)(HIL_FFT_NUMBER *a, int32_t size, const HIL_FFT_NUMBER *roots, int32_t turn, int inverse)
{
    HIL_FFT_NUMBER *const b = a + 2 * size;
    HIL_FFT_NUMBER *const c = b + 2 * size;
    HIL_FFT_NUMBER *const d = c + 2 * size;
    HIL_FFT_NUMBER one[2], two[2], three[2];
    HIL_FFT(divide_both)(a, 4);
    HIL_FFT(divide_both)(b, 4);
    HIL_FFT(divide_both)(c, 4);
    HIL_FFT(divide_both)(d, 4);
    HIL_FFT(times)(one, b, roots + 2 * turn);
    HIL_FFT(times)(two, c, roots + 4 * turn);
    HIL_FFT(times)(three, d, roots + 6 * turn);
    const HIL_FFT_NUMBER low_r = HIL_FFT(subtract)(a[0], two[0]), low_i = HIL_FFT(subtract)(a[1], two[1]);
    const HIL_FFT_NUMBER high_r = HIL_FFT(add)(a[0], two[0]), high_i = HIL_FFT(add)(a[1], two[1]);
    const HIL_FFT_NUMBER sum_r = HIL_FFT(add)(one[0], three[0]), sum_i = HIL_FFT(add)(one[1], three[1]);
    const HIL_FFT_NUMBER apart_r = HIL_FFT(subtract)(one[0], three[0]), apart_i = HIL_FFT(subtract)(one[1], three[1]);
    c[0] = HIL_FFT(subtract)(high_r, sum_r);
    c[1] = HIL_FFT(subtract)(high_i, sum_i);
    a[0] = HIL_FFT(add)(high_r, sum_r);
    a[1] = HIL_FFT(add)(high_i, sum_i);
    HIL_FFT_NUMBER *const up = inverse ? d : b;
    HIL_FFT_NUMBER *const down = inverse ? b : d;
    up[0] = HIL_FFT(add)(low_r, apart_i);
    up[1] = HIL_FFT(subtract)(low_i, apart_r);
    down[0] = HIL_FFT(subtract)(low_r, apart_i);
    down[1] = HIL_FFT(add)(low_i, apart_r);
}

/* All steps of a complex transform of n numbers, which lie in the order in which the innermost step takes them. */
HIL_INLINE void HIL_FFT(transform)(HIL_FFT_NUMBER *data, const HIL_FFT_NUMBER *roots, int32_t n, int inverse)
{
    HIL_FFT_NUMBER *const end = data + 2 * n;
    int32_t size = 1, blocks = n;
    while (blocks > 2) {
        blocks >>= 2;
    }
    if (blocks == 2) {
        for (HIL_FFT_NUMBER *a = data; a < end; a += 4) {
            HIL_FFT(pair)(a, roots);
        }
        size = 2;
    }
    for (; size < n; size *= 4) {
        const int32_t turn = n / (4 * size);
        for (HIL_FFT_NUMBER *block = data; block < end; block += 8 * size) {
            for (int32_t k = 0; k < size; ++k) {
                HIL_FFT(four)(block + 2 * k, size, roots, k * turn, inverse);
            }
        }
    }
}

/* One row: `in_n` reals, filled up with zeros to 2 * n -> n + 1 complex numbers. */
HIL_INLINE void HIL_FFT(real)(const HIL_FFT_NUMBER *input, const HIL_FFT_NUMBER *roots, const HIL_FFT_NUMBER *turns,
                              const uint16_t *places, HIL_FFT_NUMBER *output, int32_t in_n, int32_t n)
{
    for (int32_t i = 0; i < n; ++i) {
        const int32_t at = 2 * (int32_t)places[i];
        output[2 * i] = at < in_n ? input[at] : 0;
        output[2 * i + 1] = at + 1 < in_n ? input[at + 1] : 0;
    }
    HIL_FFT(transform)(output, roots, n, 0);
    HIL_FFT(divide_both)(output, 2);
    output[2 * n] = HIL_FFT(subtract)(output[0], output[1]);
    output[0] = HIL_FFT(add)(output[0], output[1]);
    output[1] = 0;
    output[2 * n + 1] = 0;
    for (int32_t k = 1; k <= n / 2; ++k) {
        HIL_FFT_NUMBER *const a = output + 2 * k;
        HIL_FFT_NUMBER *const b = output + 2 * (n - k);
        HIL_FFT_NUMBER one[2] = {a[0], a[1]}, other[2] = {b[0], HIL_FFT(negate)(b[1])}, t[2];
        HIL_FFT(divide_both)(one, 2);
        HIL_FFT(divide_both)(other, 2);
        const HIL_FFT_NUMBER sum_r = HIL_FFT(add)(one[0], other[0]), sum_i = HIL_FFT(add)(one[1], other[1]);
        t[0] = HIL_FFT(subtract)(one[0], other[0]);
        t[1] = HIL_FFT(subtract)(one[1], other[1]);
        HIL_FFT(times)(t, t, turns + 2 * (k - 1));
        a[0] = HIL_FFT(half)(sum_r, t[0], 1);
        a[1] = HIL_FFT(half)(sum_i, t[1], 1);
        b[0] = HIL_FFT(half)(sum_r, t[0], -1);
        b[1] = HIL_FFT(half)(t[1], sum_i, -1);
    }
}

/* One row back: n + 1 complex numbers -> 2 * n reals; wanted: where the innermost step takes each complex number. */
HIL_INLINE void HIL_FFT(inverse)(const HIL_FFT_NUMBER *input, const HIL_FFT_NUMBER *roots, const HIL_FFT_NUMBER *turns,
                                 const uint16_t *wanted, HIL_FFT_NUMBER *output, int32_t n)
{
    HIL_FFT_NUMBER *const first = output + 2 * (int32_t)wanted[0];
    first[0] = HIL_FFT(add)(input[0], input[2 * n]);
    first[1] = HIL_FFT(subtract)(input[0], input[2 * n]);
    HIL_FFT(divide_both)(first, 2);
    for (int32_t k = 1; k <= n / 2; ++k) {
        const HIL_FFT_NUMBER *const a = input + 2 * k;
        const HIL_FFT_NUMBER *const b = input + 2 * (n - k);
        HIL_FFT_NUMBER one[2] = {a[0], a[1]}, other[2] = {b[0], HIL_FFT(negate)(b[1])}, t[2];
        HIL_FFT(divide_both)(one, 2);
        HIL_FFT(divide_both)(other, 2);
        const HIL_FFT_NUMBER sum_r = HIL_FFT(add)(one[0], other[0]), sum_i = HIL_FFT(add)(one[1], other[1]);
        t[0] = HIL_FFT(subtract)(one[0], other[0]);
        t[1] = HIL_FFT(subtract)(one[1], other[1]);
        HIL_FFT(times)(t, t, turns + 2 * (k - 1));
        HIL_FFT_NUMBER *const y = output + 2 * (int32_t)wanted[k];
        HIL_FFT_NUMBER *const z = output + 2 * (int32_t)wanted[n - k];
        y[0] = HIL_FFT(add)(sum_r, t[0]);
        y[1] = HIL_FFT(add)(sum_i, t[1]);
        z[0] = HIL_FFT(subtract)(sum_r, t[0]);
        z[1] = HIL_FFT(negate)(HIL_FFT(subtract)(sum_i, t[1]));
    }
    HIL_FFT(transform)(output, roots, n, 1);
}

#undef HIL_FFT
#undef HIL_FFT_NUMBER
