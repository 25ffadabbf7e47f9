package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

type answer[T any] struct{ Body T }

// DeviceList is all devices, in the order of the configuration.
type DeviceList struct {
	Epoch       string   `json:"epoch"`
	Version     string   `json:"version"`
	Devices     []Device `json:"devices"`
	Insecure    bool     `json:"insecure,omitempty" doc:"others reach this gateway without users or without TLS"`
	InsecureWhy string   `json:"insecure_why,omitempty" doc:"what is missing"`
}

// SpecList describes the points and commands of one device.
type SpecList struct {
	Specs     []Spec             `json:"specs"`
	LabelSets map[string][]Label `json:"label_sets"`
	Commands  []Command          `json:"commands"`
}

// Snapshot is a consistent picture of points at one sequence.
type Snapshot struct {
	Epoch  string  `json:"epoch"`
	Seq    uint64  `json:"seq"`
	Points []Point `json:"points"`
}

// InDevice names a device in the address.
type InDevice struct {
	Device string `path:"device" doc:"name of the device"`
}

type inUnder struct {
	InDevice
	Under []string `query:"under,explode" doc:"only this subtree; may be repeated"`
}

type inSelection struct {
	Device []string `query:"device,explode" doc:"only this device; may be repeated"`
	Under  []string `query:"under,explode" doc:"only this subtree; may be repeated"`
	Role   []string `query:"role,explode" doc:"only points of this role; may be repeated"`
}

func get(path, id, summary string) huma.Operation {
	return huma.Operation{Method: http.MethodGet, Path: base + path, OperationID: id, Summary: summary}
}

func (s *Server) deviceRoutes(api huma.API) {
	huma.Register(api, get("/devices", "devices", "All devices with the state of their links"),
		func(context.Context, *struct{}) (*answer[DeviceList], error) {
			out := DeviceList{Epoch: s.tree.Epoch(), Version: s.cfg.Version, Devices: []Device{}}
			for _, d := range s.devices.Devices() {
				out.Devices = append(out.Devices, s.deviceObject(&d))
			}
			out.InsecureWhy = s.Insecure()
			out.Insecure = out.InsecureWhy != ""
			return &answer[DeviceList]{out}, nil
		})
	huma.Register(api, get("/devices/{device}", "device", "One device"),
		func(_ context.Context, in *InDevice) (*answer[Device], error) {
			d, err := s.device(in.Device)
			if err != nil {
				return nil, err
			}
			return &answer[Device]{s.deviceObject(d)}, nil
		})
	huma.Register(api, get("/devices/{device}/specs", "specs", "What the points and commands of a device are"), s.specs)
	huma.Register(api, get("/devices/{device}/points", "device-points", "What the points of a device hold now"),
		func(_ context.Context, in *inUnder) (*answer[Snapshot], error) {
			d, err := s.device(in.Device)
			if err != nil {
				return nil, err
			}
			return s.snapshot([]string{d.Name}, in.Under, nil)
		})
	huma.Register(api, get("/points", "points", "What the points of several devices hold now"),
		func(_ context.Context, in *inSelection) (*answer[Snapshot], error) {
			return s.snapshot(in.Device, in.Under, in.Role)
		})
}

func (s *Server) device(name string) (*north.Device, error) {
	d, ok := s.devices.Device(name)
	if !ok {
		return nil, s.unknownDevice(name)
	}
	return &d, nil
}

func (s *Server) snapshot(devices, under, roles []string) (*answer[Snapshot], error) {
	f, err := s.filter(devices, under, roles)
	if err != nil {
		return nil, err
	}
	points, seq := s.tree.Points(f)
	out := Snapshot{Epoch: s.tree.Epoch(), Seq: seq, Points: make([]Point, len(points))}
	for i := range points {
		out.Points[i] = pointObject(&points[i])
	}
	return &answer[Snapshot]{out}, nil
}

// filter checks a selection; a name that does not exist is an error, because an empty answer would look like an answer.
func (s *Server) filter(devices, under, roles []string) (device.Filter, error) {
	f := device.Filter{Devices: devices, Roles: roles}
	for _, d := range devices {
		if _, err := s.device(d); err != nil {
			return f, err
		}
	}
	for _, u := range under {
		p, err := device.ParsePath(u)
		if err != nil {
			return f, problem(http.StatusBadRequest, "bad-path", "under: "+err.Error(), "")
		}
		f.Under = append(f.Under, p)
	}
	for _, r := range roles {
		if _, ok := device.RoleOf(r); !ok {
			p := problem(http.StatusBadRequest, "unknown-role", fmt.Sprintf("there is no role %q", r), "the specs of a device show the roles of its points")
			var names []string
			for _, known := range device.Roles() {
				names = append(names, known.Name)
			}
			p.DidYouMean, _ = device.Nearest(r, names)
			return f, p
		}
	}
	return f, nil
}

func (s *Server) specs(ctx context.Context, in *inUnder) (*answer[SpecList], error) {
	id := requesterOf(ctx).id
	d, err := s.device(in.Device)
	if err != nil {
		return nil, err
	}
	f, err := s.filter([]string{d.Name}, in.Under, nil)
	if err != nil {
		return nil, err
	}
	points, _ := s.tree.Points(f)
	out := SpecList{Specs: make([]Spec, len(points)), LabelSets: map[string][]Label{}, Commands: []Command{}}
	for i := range points {
		out.Specs[i] = specObject(id, d, points[i].Spec)
		if l := points[i].Labels; l != nil && out.LabelSets[l.ID] == nil {
			out.LabelSets[l.ID] = labelObjects(l)
		}
	}
	for _, c := range s.tree.Commands(d.Name) {
		if !under(c.Path, f.Under) {
			continue
		}
		out.Commands = append(out.Commands, commandObject(id, d, &c))
		for _, a := range c.Args {
			if l := s.tree.LabelSets(d.Name)[a.Labels]; l != nil {
				out.LabelSets[l.ID] = labelObjects(l)
			}
		}
	}
	return &answer[SpecList]{out}, nil
}

func under(p device.Path, roots []device.Path) bool {
	for _, r := range roots {
		if p.Under(r) {
			return true
		}
	}
	return len(roots) == 0
}
