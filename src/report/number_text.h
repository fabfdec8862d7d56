/* report/number_text.h: numbers as text, with '.' whatever the locale. */
#ifndef BURL_REPORT_NUMBER_TEXT_H
#define BURL_REPORT_NUMBER_TEXT_H

#define BURL_NUMBER_TEXT 40 /* bytes that every text below fits in */

/* The fewest digits that give the value back: as a float where it is one exactly, else as a double.
 */
void burl_number_text(char text[BURL_NUMBER_TEXT], double value);

/* `decimals` (0..9) digits after the point; six significant digits from 1e12 on. */
void burl_number_fixed(char text[BURL_NUMBER_TEXT], double value, int decimals);

/* `digits` (1..9) significant digits. */
void burl_number_short(char text[BURL_NUMBER_TEXT], double value, int digits);

#endif
