package serial

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A client whose computer does not answer any more is given up in time; one that answers is watched for as long as it is there.
func TestUnansweredClient(t *testing.T) {
	for _, dead := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			conn, peer := net.Pipe()
			defer peer.Close()
			began := time.Now()
			stop := watch(conn, time.Minute, func(c net.Conn) time.Duration {
				if silence := time.Since(began) - time.Hour; dead && c == conn && silence > 0 {
					return silence
				}
				return 0
			})
			ended := make(chan time.Duration, 1)
			go func() {
				_, _ = peer.Read(make([]byte, 1))
				ended <- time.Since(began)
			}()
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			select {
			case took := <-ended:
				if !dead || took < time.Hour+time.Minute || took > time.Hour+75*time.Second {
					t.Errorf("dead %v: ended after %v", dead, took)
				}
			default:
				if dead {
					t.Error("it is never given up")
				}
			}
			stop()
			conn.Close()
			synctest.Wait()
		})
	}
}
