package decode

import (
	"bytes"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// looksLikeDeviceMaster goes by the mark of the discovery, by the question who is there and its answer, and else by whether
// several messages in a row make sense.
func looksLikeDeviceMaster(client, server []byte) int {
	for _, b := range [][]byte{client, server} {
		if _, err := devicemaster.ParseDiscovery(b); err == nil {
			return 100
		}
	}
	ask := devicemaster.ToolRequest{Command: devicemaster.ToolID}.Append(nil)
	_, answered := devicemaster.ScanIDResponse(server)
	switch {
	case bytes.HasPrefix(client, ask) && answered:
		return 100
	case bytes.HasPrefix(client, ask):
		return 90
	}
	return max(sense(devicemaster.ToDevice, client), sense(devicemaster.FromDevice, server))
}

// sense is how sure it is that b is messages: they have few forms, and those of a port come behind its selection.
func sense(dir devicemaster.Direction, b []byte) int {
	dec := devicemaster.NewDecoder(dir, devicemaster.DecoderOptions{Strict: true})
	dec.Feed(b)
	ports, bytes := 0, 0
	for {
		m, ok, err := dec.Next()
		switch {
		case err != nil, m.Op.Tool(), m.Op.PortScope() && !m.Selected:
			return 0
		case ok && m.Op.PortScope():
			ports++
		}
		if !ok {
			break
		}
		bytes += len(m.Raw)
	}
	if ports >= 2 && bytes >= 8 {
		return 60
	}
	return 0
}
