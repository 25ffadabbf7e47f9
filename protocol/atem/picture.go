package atem

import (
	"errors"
	"image"
	"image/color"
)

// Pixels of stills: two in 8 bytes, as two words of 32 bits, each 12 bits of alpha, 10 bits of chroma (Cb in the first word, Cr
// in the second) and 10 bits of luma; BT.709, colours in limited range. That alpha is 0 to 4095 is inferred.

const (
	lumaLow, lumaRange     = 64, 876
	chromaMid, chromaRange = 512, 896
)

// ErrPicture says that data are no picture of a size.
var ErrPicture = errors.New("the data are no picture of this size")

// AppendPicture adds a picture in the form of frames. Its width must be even.
func AppendPicture(b []byte, m image.Image) []byte {
	r := m.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x+1 < r.Max.X; x += 2 {
			y0, cb0, cr0, a0 := yuv(m.At(x, y))
			y1, cb1, cr1, a1 := yuv(m.At(x+1, y))
			b = be.AppendUint32(b, a0<<20|word((cb0+cb1)/2)<<10|word(y0))
			b = be.AppendUint32(b, a1<<20|word((cr0+cr1)/2)<<10|word(y1))
		}
	}
	return b
}

func word(v float64) uint32 { return uint32(min(max(v+0.5, 4), 1019)) }

func yuv(c color.Color) (y, cb, cr float64, alpha uint32) {
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	r, g, b := float64(n.R)/65535, float64(n.G)/65535, float64(n.B)/65535
	l := 0.2126*r + 0.7152*g + 0.0722*b
	return lumaLow + lumaRange*l, chromaMid + chromaRange*(b-l)/1.8556, chromaMid + chromaRange*(r-l)/1.5748, uint32(n.A) >> 4
}

// Picture is the picture that a frame stands for.
func Picture(frame []byte, width, height int) (*image.NRGBA, error) {
	if width <= 0 || height <= 0 || width%2 != 0 || len(frame)%4 != 0 || len(frame)/4/width != height || len(frame)/4%width != 0 {
		return nil, ErrPicture
	}
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := 0; i < width*height; i += 2 {
		w0, w1 := be.Uint32(frame[i*4:]), be.Uint32(frame[i*4+4:])
		cb, cr := w0>>10&0x3ff, w1>>10&0x3ff
		m.SetNRGBA(i%width, i/width, rgb(w0&0x3ff, cb, cr, w0>>20))
		m.SetNRGBA(i%width+1, i/width, rgb(w1&0x3ff, cb, cr, w1>>20))
	}
	return m, nil
}

func rgb(y, cb, cr, alpha uint32) color.NRGBA {
	l := (float64(y) - lumaLow) / lumaRange
	b := l + 1.8556*(float64(cb)-chromaMid)/chromaRange
	r := l + 1.5748*(float64(cr)-chromaMid)/chromaRange
	g := (l - 0.2126*r - 0.0722*b) / 0.7152
	return color.NRGBA{R: level(r), G: level(g), B: level(b), A: uint8(alpha >> 4)}
}

func level(v float64) uint8 { return uint8(min(max(v*255+0.5, 0), 255)) }
