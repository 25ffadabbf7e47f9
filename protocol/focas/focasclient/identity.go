package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// CNCID reads the control's id (cnc_rdcncid).
func (p Path) CNCID(ctx context.Context) (focas.CNCID, error) {
	return call(ctx, p.c, "cnc_rdcncid", focas.CNCIDRequest(p.n), focas.ParseCNCID)
}

// CNCModel reads the model number (cnc_getcncmodel).
func (p Path) CNCModel(ctx context.Context) (focas.CNCModel, error) {
	return call(ctx, p.c, "cnc_getcncmodel", focas.CNCModelRequest(p.n), focas.ParseCNCModel)
}

// EthernetInfo reads what Ethernet hardware the control has (cnc_rdetherinfo).
func (p Path) EthernetInfo(ctx context.Context) (focas.EthernetInfo, error) {
	return call(ctx, p.c, "cnc_rdetherinfo", focas.EthernetInfoRequest(p.n), focas.ParseEthernetInfo)
}

// SysInfo is what the control said about the path when the session was opened (cnc_sysinfo); it sends nothing.
func (p Path) SysInfo() (focas.SysInfo, error) { return p.c.SysInfo(p.n) }

// Family is the family of controls, which the texts of status words and alarms depend on; it sends nothing.
func (c *Client) Family() focas.Family {
	var info focas.SysInfo
	for n := range c.reply.Paths() {
		info = c.systems[n].info
		break
	}
	return focas.FamilyOf(&c.reply, info)
}
