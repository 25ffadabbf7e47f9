package simulate

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

func TestDeviceMasterSettings(t *testing.T) {
	o, err := deviceMasterOptions(url.Values{"layout": {"echo"}, "paced": {"true"}, "state": {"0x02"}, "vary": {"hold, no-total,single-byte-seq"}})
	if err != nil || o.Layout != "echo" || !o.Paced || o.State != 2 || o.Variations != (dmserver.Variations{Hold: true, Total: dmserver.TotalNever, SingleByteSeq: true}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, word := range DeviceMasterVariationNames() {
		if o, err := deviceMasterOptions(url.Values{"vary": {word}}); err != nil || o.Variations == (dmserver.Variations{}) {
			t.Errorf("%s: %+v, %v", word, o.Variations, err)
		}
	}
	for key, value := range map[string]string{"paced": "perhaps", "state": "300", "vary": "colour", "layout": "null"} {
		if _, err := New("devicemaster", url.Values{key: {value}}); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	d, err := New("devicemaster", nil)
	if err != nil || len(d.Services) != 2 || d.Services[0].Port != 4606 || d.Services[1].Network != "udp" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestDeviceMasterFaults(t *testing.T) {
	for _, name := range DeviceMasterFaultNames() {
		word := strings.NewReplacer("BYTES", "7", "TIME", "50ms").Replace(name)
		if f, err := DeviceMasterFaults([]string{word}); err != nil || f == (dmsim.Faults{}) {
			t.Errorf("%s: %+v, %v", word, f, err)
		}
	}
	f, err := DeviceMasterFaults([]string{"busy", "split=3", "delay=1s"})
	if err != nil || f != (dmsim.Faults{Busy: true, Split: 3, Delay: time.Second}) {
		t.Errorf("%+v, %v", f, err)
	}
	for _, word := range []string{"busy=1", "split", "split=0", "split=x", "delay", "delay=5", "delay=-1s", "fire"} {
		if _, err := DeviceMasterFaults([]string{word}); err == nil || !strings.Contains(err.Error(), "fault") {
			t.Errorf("%s: %v", word, err)
		}
	}
}
