package focas

import (
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas/internal/vectors"
)

// TestFirstRequests holds the builders of calls of which only the request was measured against what FANUC's library sends
// with arguments of 1.
func TestFirstRequests(t *testing.T) {
	for _, d := range []Dialect{Classic, Series30i} {
		seen, err := vectors.FirstRequests(d == Classic)
		if err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]Request{
			"cnc_rdparainfo":  ParamInfoRequest(1, 1, 1),
			"cnc_rdparainfo2": ParamInfo2Request(1, 1, 1, 0),
			"cnc_rdparainfo3": ParamInfo2Request(1, 1, 1, 1),
			"cnc_rddiaginfo":  DiagInfoRequest(1, 1, 1),
			"cnc_rddiaginfo2": DiagInfo2Request(1, 1, 1),
			"cnc_rdset":       SettingRequest(d, 1, 1, 1, 1),
			"cnc_rdsetinfo2":  SettingInfo2Request(1, 1, 1),
			"cnc_rdparam":     ParamRequest(d, 1, 1, 1, 1),
			"cnc_diagnoss":    DiagRequest(d, 1, 1, 1, 1),
			"cnc_rdparam_ext": ParamTypeRequest(d, 1, 1),
			"cnc_rdtlinfo":    ToolLifeInfoRequest(d, 1),
			"cnc_rdmdiprog":   MDITextRequest(1),
			"cnc_rdmdipntr":   MDIPointerRequest(1),
			"cnc_wractpt":     WriteActPointRequest(1, 1, 1),
			"cnc_pdf_add":     AddFileRequest(1, ""),
			"cnc_pdf_del":     DeleteFileRequest(1, ""),
			"cnc_rdprogdir2":  ProgramDirRequest(1, 1, 1, 1),

			"pmc_rdpmcinfo":          PMCInfoRequest(1, 1),
			"pmc_get_number_of_pmc":  PMCCountRequest(1),
			"pmc_get_pmc_unit_types": PMCUnitTypesRequest(1, 1),
			"pmc_select_pmc_unit":    SelectPMCUnitRequest(1),
			"pmc_rdpmctitle":         PMCTitleRequest(1),
			"pmc_rdalmmsg":           PMCAlarmRequest(1, 1, 1),
		} {
			want, ok := seen[name]
			if !ok {
				t.Errorf("%v %s: not measured", d, name)
				continue
			}
			got := vectors.FirstRequest{Class: uint16(q.Class), Func: uint16(q.Func)}
			copy(got.Args[:], q.Args[:])
			got.Args[4] = int32(q.Flag)<<16 | int32(len(q.Data))
			if got != want {
				t.Errorf("%v %s: %+v, the library sends %+v", d, name, got, want)
			}
		}
	}
}

// Every code of the table is the one that the library sends first for the call it is listed for, save calls that send it
// later in a batch or choose it by an argument.
func TestFuncTableMatchesLibrary(t *testing.T) {
	later := map[string]bool{"cnc_modal": true, "cnc_wrparam": true, "cnc_exaxisname": true, "cnc_statinfo": true, "cnc_rdposition": true}
	classic, err := vectors.FirstRequests(true)
	if err != nil {
		t.Fatal(err)
	}
	series30i, err := vectors.FirstRequests(false)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for f, info := range funcs {
		for _, name := range info.FOCAS {
			a, inA := classic[name]
			b, inB := series30i[name]
			if later[name] || !inA && !inB {
				continue
			}
			checked++
			if !(inA && Func(a.Func) == f) && !(inB && Func(b.Func) == f) {
				t.Errorf("%v sends %#04x or %#04x first, the table says %#04x", name, a.Func, b.Func, uint16(f))
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d calls were compared, expected more", checked)
	}
}
