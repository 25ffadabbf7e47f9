package gateway

import (
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/north"
)

// Bytes wait for others only when that is configured, and no longer than that.
func TestCoalesce(t *testing.T) {
	for _, tt := range []struct {
		coalesce, after time.Duration
		want            string
	}{
		{0, 0, "a"},
		{5 * time.Millisecond, 5 * time.Millisecond, "abc"},
		{time.Millisecond, time.Millisecond, "a"},
	} {
		dev := &box{window: 100}
		withBox(t, dev, func(t *testing.T, g *Gateway) {
			s := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Coalesce: tt.coalesce})
			defer s.Close()
			began := time.Now()
			fed := make(chan struct{})
			go func() {
				defer close(fed)
				for _, c := range "abc" {
					dev.last().feed([]byte(string(c)))
					time.Sleep(2 * time.Millisecond)
				}
			}()
			b := make([]byte, 100)
			n, err := s.Read(b)
			if took := time.Since(began); err != nil || string(b[:n]) != tt.want || took != tt.after {
				t.Errorf("coalesce %v: %q after %v, %v", tt.coalesce, b[:n], took, err)
			}
			<-fed
		})
	}
}
