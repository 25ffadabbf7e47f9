package atem

import (
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

var (
	defStreamState    = def{kind: device.Enum, rate: device.Normal, labels: labelsStream, title: "Stream", role: "av.stream.state"}
	defBitrate        = def{kind: device.Int, rate: device.Normal, title: "Bit rate", doc: "bits a second", role: "av.stream.bitrate"}
	defCache          = def{kind: device.Int, rate: device.Normal, unit: "%", title: "Cache", doc: "how full the stream's buffer is"}
	defStreamDuration = def{kind: device.String, rate: device.Normal, title: "Streaming for", role: "av.stream.duration"}
	defService        = def{kind: device.String, rate: device.Slow, title: "Service", doc: "where the stream goes; its key is never shown"}

	defRecordState    = def{kind: device.Enum, rate: device.Normal, labels: labelsRecord, title: "Recording", role: "av.record.state"}
	defDropping       = def{kind: device.Bool, rate: device.Normal, title: "Frames are dropped", doc: "the disk is too slow"}
	defRemaining      = def{kind: device.Float, rate: device.Normal, unit: "s", title: "Time left", doc: "on the disks, at the present quality", role: "av.record.remaining"}
	defRecordDuration = def{kind: device.String, rate: device.Normal, title: "Recording for", role: "av.record.duration"}
	defRecordName     = def{kind: device.String, rate: device.Slow, title: "Name of the recording"}
)

// startStop adds the two commands of the stream or the recording.
func (b *board) startStop(what, thing string, make func(on bool) atem.Message, shows atem.Code) {
	for _, c := range []struct {
		name, title string
		on          bool
	}{{"start", "Start " + thing, true}, {"stop", "Stop " + thing, false}} {
		b.command(command{Command: device.Command{Path: device.Join(what, c.name), Title: c.title, Hazard: device.HazardLive, Grade: device.GradeInferred},
			do: func([]device.Value) []atem.Message { return one(make(c.on)) }, shows: []atem.Code{shows}})
	}
}

func takeStreaming(b *board, v *atem.StreamingState) {
	state := int64(streamIdle)
	switch s := v.Status; {
	case s&atem.StreamStateError != 0:
		state = streamError
	case s&atem.StreamStateInvalid != 0:
		state = streamInvalid
	case s&atem.StreamStateStopping != 0:
		state = streamStopping
	case s&atem.StreamStateStreaming != 0:
		state = streamOn
	case s&atem.StreamStateConnecting != 0:
		state = streamConnecting
	}
	b.put("stream/state", &defStreamState, device.OfEnum(state), nil)
	b.startStop("stream", "streaming", func(on bool) atem.Message { return &atem.SetStreaming{Streaming: on} }, atem.CodeStRS)
}

func takeStreamingStatistics(b *board, v *atem.StreamingStatistics) {
	b.put("stream/bitrate", &defBitrate, device.OfInt(int64(v.Bitrate)), nil)
	b.put("stream/cache", &defCache, device.OfInt(int64(v.CachePercent)), nil)
}

func takeStreamingTime(b *board, v *atem.StreamingTime) {
	b.put("stream/duration", &defStreamDuration, device.OfString(clock(v.Hour, v.Minute, v.Second)), nil)
}

// takeStreamingService shows where the stream goes, and not the key that opens the way.
func takeStreamingService(b *board, v *atem.StreamingService) {
	b.put("stream/service", &defService, device.OfString(v.Service), nil)
}

func takeRecording(b *board, v *atem.RecordingState) {
	state := int64(recordIdle)
	switch s := v.Status; {
	case s&atem.RecordStateError != 0:
		state = recordError
	case s&atem.RecordStateMediaError != 0:
		state = recordMediaError
	case s&atem.RecordStateStopping != 0:
		state = recordStopping
	case s&atem.RecordStateRecording != 0:
		state = recordOn
	case s&atem.RecordStateFull != 0:
		state = recordFull
	case s&atem.RecordStateUnformatted != 0:
		state = recordUnformatted
	}
	b.put("record/state", &defRecordState, device.OfEnum(state), nil)
	b.put("record/dropping", &defDropping, device.OfBool(v.Status&atem.RecordStateDropping != 0), nil)
	b.put("record/remaining", &defRemaining, device.OfFloat(float64(v.SecondsLeft)), nil)
	b.startStop("record", "recording", func(on bool) atem.Message { return &atem.SetRecording{Recording: on} }, atem.CodeRTMS)
}

func takeRecordingTime(b *board, v *atem.RecordingTime) {
	b.put("record/duration", &defRecordDuration, device.OfString(clock(v.Hour, v.Minute, v.Second)), nil)
}

func takeRecordingSettings(b *board, v *atem.RecordingSettings) {
	b.put("record/name", &defRecordName, device.OfString(v.Name), nil)
}
