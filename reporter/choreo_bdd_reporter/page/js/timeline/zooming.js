// Mouse on the time axis: ctrl + wheel zooms around the pointer, a sideways wheel and dragging move along.

const CLICK_PX = 4;

// `chart`: { axis(), zoom(factor, at), pan(share) }; `trackOf` gives the box of the track.
/**
 * @param {HTMLElement} host
 * @param {() => DOMRect} trackBox
 * @param {Page.Zooming} chart
 */
export function followMouse(host, trackBox, chart) {
  /** @param {MouseEvent} event */
  const shareAt = (event) => {
    const box = trackBox();
    return (event.clientX - box.left) / box.width;
  };
  host.addEventListener('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) {
      const { from, to } = chart.axis();
      chart.zoom(event.deltaY > 0 ? 1.25 : 0.8, from + Math.max(0, Math.min(1, shareAt(event))) * (to - from));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) chart.pan(event.deltaX / trackBox().width);
    else if (event.shiftKey) chart.pan(event.deltaY / trackBox().width);
    else return;
    event.preventDefault();
  }, { passive: false });

  host.addEventListener('pointerdown', (down) => {
    if (down.button !== 0 || shareAt(down) < 0 || shareAt(down) > 1) return;
    let last = down.clientX;
    let dragged = false;
    /** @param {PointerEvent} event */
    const move = (event) => {
      dragged ||= Math.abs(event.clientX - down.clientX) > CLICK_PX;
      if (!dragged) return;
      chart.pan((last - event.clientX) / trackBox().width);
      last = event.clientX;
    };
    /** @param {Event} event */
    const swallow = (event) => {
      if (dragged) event.stopPropagation();
    };
    const up = () => {
      removeEventListener('pointermove', move);
      // the click that ends a drag chooses nothing
      setTimeout(() => host.removeEventListener('click', swallow, true));
    };
    host.addEventListener('click', swallow, true);
    addEventListener('pointermove', move);
    addEventListener('pointerup', up, { once: true });
  });
}
