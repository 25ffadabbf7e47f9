package cli

import (
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the margin around a QR code, in modules: scanners want four.
const quiet = 4

// The colours of a QR code on a terminal. They are said, since a terminal may be dark on light or light on dark, and not every
// scanner reads a code whose colours are the wrong way round.
const (
	qrColours = "\x1b[38;5;231;48;5;16m" // white on black: what is written is white
	qrPlain   = "\x1b[0m"
)

// qrText is text as a QR code for a terminal: two modules above one another are one character.
func qrText(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", err
	}
	size := code.Bounds().Dx()
	white := func(x, y int) bool {
		if x < 0 || y < 0 || x >= size || y >= size {
			return true
		}
		return color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y > 127
	}
	var b strings.Builder
	for y := -quiet; y < size+quiet; y += 2 {
		b.WriteString(qrColours)
		for x := -quiet; x < size+quiet; x++ {
			switch top, bottom := white(x, y), white(x, y+1); {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString(qrPlain + "\n")
	}
	return b.String(), nil
}
