package focas

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// Points about the conversation itself, beside those that the gateway keeps for every device.
const (
	linkRoundTrip     device.Path = "_link/round-trip"
	linkRoundTripMean device.Path = "_link/round-trip-mean"
	linkRoundTripMax  device.Path = "_link/round-trip-max"
	linkFrames        device.Path = "_link/frames"
	linkFrameRate     device.Path = "_link/frames-per-second"
	linkBlocks        device.Path = "_link/blocks-per-frame"
	linkBytesSent     device.Path = "_link/bytes-sent"
	linkBytesReceived device.Path = "_link/bytes-received"
)

func linkSpecs() []device.Spec {
	spec := func(p device.Path, k device.Kind, unit string, decimals int, title, doc string) device.Spec {
		return device.Spec{Path: p, Kind: k, Rate: device.Normal, Access: device.R, Unit: unit, Decimals: decimals,
			Title: title, Doc: doc, Grade: device.GradeSeen}
	}
	return []device.Spec{
		spec(linkRoundTrip, device.Float, "ms", 2, "Round trip", "time from sending the last data frame to its whole reply"),
		spec(linkRoundTripMean, device.Float, "ms", 2, "Round trip, mean", "over this connection"),
		spec(linkRoundTripMax, device.Float, "ms", 2, "Round trip, longest", "over this connection"),
		spec(linkFrames, device.Int, "", 0, "Frames sent", "data and control frames over this connection"),
		spec(linkFrameRate, device.Float, "1/s", 1, "Frames a second", "since the last reading of this point"),
		spec(linkBlocks, device.Float, "", 1, "Blocks per frame", "how many reads travel together, on average since the last reading of this point"),
		spec(linkBytesSent, device.Int, "B", 0, "Bytes sent", "over this connection"),
		spec(linkBytesReceived, device.Int, "B", 0, "Bytes received", "over this connection"),
	}
}

func isLinkPoint(p device.Path) bool { return p.Under("_link") }

// linkMeter turns the client's counters into rates.
type linkMeter struct {
	at         time.Time
	last       focasclient.Stats
	rate, load float64
}

// rateWindow is the shortest time over which a rate is worth saying.
const rateWindow = time.Second

func (m *linkMeter) fill(now focasclient.Stats, out *samples) {
	if m.at.IsZero() {
		m.at, m.last = out.now, now
	}
	if d := out.now.Sub(m.at); d >= rateWindow {
		frames := now.Exchanges - m.last.Exchanges
		m.rate = float64(frames) / d.Seconds()
		if frames > 0 {
			m.load = float64(now.BlocksSent-m.last.BlocksSent) / float64(frames)
		}
		m.at, m.last = out.now, now
	}
	ms := func(d time.Duration) device.Value { return device.OfFloat(float64(d.Microseconds()) / 1000) }
	out.set(linkRoundTrip, ms(now.LastRoundTrip))
	out.set(linkRoundTripMean, ms(now.MeanRoundTrip))
	out.set(linkRoundTripMax, ms(now.MaxRoundTrip))
	out.set(linkFrames, device.OfInt(int64(now.FramesSent)))
	out.set(linkFrameRate, device.OfFloat(m.rate))
	out.set(linkBlocks, device.OfFloat(m.load))
	out.set(linkBytesSent, device.OfInt(int64(now.BytesSent)))
	out.set(linkBytesReceived, device.OfInt(int64(now.BytesReceived)))
}
