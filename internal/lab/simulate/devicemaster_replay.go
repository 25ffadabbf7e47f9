package simulate

import (
	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// replayDeviceMaster is a box that says it is a recorded one, and whose lines say what they said there.
func replayDeviceMaster(file string) (Device, error) {
	r, err := replay.ReadDeviceMaster(file)
	if err != nil {
		return Device{}, err
	}
	id := devicemaster.Identity(uint8(len(r.Lines)), 0)
	if r.ID != nil {
		id = *r.ID
	}
	var ends []dmserver.Backend
	for _, l := range r.Lines {
		ends = append(ends, recordedEnd(l))
	}
	srv, err := dmserver.New(dmserver.Options{ID: func() devicemaster.IDResponse { return id }, Backends: ends})
	if err != nil {
		return Device{}, err
	}
	return Device{Services: []Service{
		{Network: "tcp", Port: devicemaster.Port, Stream: srv.Serve},
		{Network: "udp", Port: devicemaster.Port, Packets: srv.AnswerDiscovery},
	}}, nil
}
