/* Browsers start no Worker for a page that was opened from a file. Search runs in one; here it
   runs in a hidden frame instead, so that it works without a server. */
if (location.protocol === "file:") {
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.inside = frame.contentWindow
      this.inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      this.ready = new Promise((done, failed) => {
        const script = this.inside.document.createElement("script")
        script.src = address
        script.onload = done
        script.onerror = failed
        this.inside.document.body.appendChild(script)
      })
    }

    postMessage(data) {
      const event = new this.inside.MessageEvent("message", { data })
      this.ready.then(() => this.inside.dispatchEvent(event))
    }
  }
}
