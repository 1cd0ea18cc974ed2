/** A row of roofs along the foot of the header: decoration only. */
export function Skyline() {
  return (
    <svg className="skyline" viewBox="0 0 1440 120" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <path
        className="far"
        d="M0 120V74h70V52h44v22h52V40l30-18 30 18v30h66V56h58V30h46v34h74V48l42-26 42 26v22h88V36h38V14h30v22h36v34h96V54h54V32h62v38h70V46l36-22 36 22v26h84V40h48v30h70V52h78V34h52v36h84V120Z"
      />
      <path
        className="near"
        d="M0 120V92h96V76h58v16h84V70l34-20 34 20v24h92V80h66V62h52v32h110V84h48V58h62v34h98V72l40-24 40 24v22h86V78h74v16h92V66h56v26h88V80h70V60h60v34h60V120Z"
      />
    </svg>
  );
}
